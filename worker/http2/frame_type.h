#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyd::http2 {

// Frame types (RFC 9113 6, RFC 9218 7.1); kOther stands for all that we don't know, which are ignored.
enum class FrameType : uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRstStream,
  kSettings,
  kPushPromise,
  kPing,
  kGoaway,
  kWindowUpdate,
  kContinuation,
  kPriorityUpdate,
  kOther,
};

inline constexpr size_t kFrameTypeCount = static_cast<size_t>(FrameType::kOther) + 1;

constexpr FrameType frame_type_from(uint8_t on_the_wire) {
  if (on_the_wire <= 9) return static_cast<FrameType>(on_the_wire);
  return on_the_wire == 0x10 ? FrameType::kPriorityUpdate : FrameType::kOther;
}

// "window_update", the word in metrics.
constexpr std::string_view to_string(FrameType type) {
  constexpr std::string_view kWords[] = {
      "data", "headers", "priority",      "rst_stream",   "settings",        "push_promise",
      "ping", "goaway",  "window_update", "continuation", "priority_update", "other"};
  return kWords[static_cast<size_t>(type)];
}

}   // namespace proxyd::http2
