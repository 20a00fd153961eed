#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "worker/http2/frame_head.h"
#include "worker/http2/memory.h"

namespace proxyd::http2 {

// The header block that HEADERS and its CONTINUATIONs carry (RFC 9113 4.3), put together without padding and priority.
// A block that came in one piece is a view of it; others are copied into the session's memory, 144 KiB of which it may
// be as long as there are eight CONTINUATIONs at most. State of a session.
class HeaderBlock {
 public:
  explicit HeaderBlock(Memory& memory) : memory_(memory) {}
  HeaderBlock(const HeaderBlock&) = delete;
  HeaderBlock& operator=(const HeaderBlock&) = delete;
  ~HeaderBlock() { clear(); }

  void begin_frame(const FrameHead& frame);
  // The next octets of the frame's payload; `left`: how many more there will be. Throws std::bad_alloc.
  void take(std::string_view payload, size_t left);
  // After the last octets: what the frame carries has become part of the block. False when its padding, or its
  // priority, is more than it has.
  bool end_frame();

  // Of the HEADERS frame.
  const FrameHead& head() const { return head_; }
  // Its priority, of which nothing else matters, names its own stream (RFC 7540 5.3.1).
  bool depends_on_itself() const { return depends_on_itself_; }
  bool complete() const { return complete_; }
  std::string_view octets() const { return whole_; }
  void clear();

 private:
  void append(std::string_view octets, size_t more);

  Memory& memory_;
  FrameHead head_;
  FrameHead frame_;
  std::string_view whole_;   // of the block so far: in what was taken last, or in `room_`
  std::span<char> room_;
  size_t size_ = 0;   // of what is in `room_`
  bool in_room_ = false;
  bool complete_ = false;
  bool depends_on_itself_ = false;
};

}   // namespace proxyd::http2
