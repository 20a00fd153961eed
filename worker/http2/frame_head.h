#pragma once

#include <cstdint>

#include "worker/http2/frame_type.h"

namespace proxyd::http2 {

inline constexpr uint32_t kLargestFrame = 16 * 1024;   // what we take: RFC 9113 4.2's least
inline constexpr uint32_t kFrameHeadSize = 9;

namespace frame_flag {
inline constexpr uint8_t kAck = 0x1;
inline constexpr uint8_t kEndStream = 0x1;
inline constexpr uint8_t kEndHeaders = 0x4;
inline constexpr uint8_t kPadded = 0x8;
inline constexpr uint8_t kPriority = 0x20;
}   // namespace frame_flag

// The nine octets before a frame's payload (RFC 9113 4.1), and the first word of it where that matters.
struct FrameHead {
  uint32_t length = 0;
  FrameType type = FrameType::kOther;
  uint8_t flags = 0;
  uint32_t stream = 0;
  uint32_t word = 0;   // of WINDOW_UPDATE and PRIORITY, when their length is right: the increment, the dependency

  bool has(uint8_t flag) const { return (flags & flag) != 0; }
};

}   // namespace proxyd::http2
