#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http2/frame_head.h"

namespace proxyd::http2 {

// Finds the heads of frames in octets that end anywhere, so that each frame can be judged before it is passed on: what
// is passed on are runs of octets, as long as nothing interrupts them. A value of a session; the views it gives point
// into what `give` was given or into itself, until the next call.
class FrameScanner {
 public:
  // `preface`: so many octets come before the first frame.
  explicit FrameScanner(size_t preface) : left_(preface) {}

  void give(std::string_view octets);
  // Goes on to the next head; false when the octets have no further one. The frame is passed on unless `drop` follows.
  bool next();
  const FrameHead& frame() const { return frame_; }
  // Octets of the frame's head that came earlier, and are to be passed on before the next run; mostly none.
  std::string_view head_in_parts() const { return {parts_.data(), complete_parts_}; }
  // What is to be passed on and has not been yet: up to the frame's head, or to the end of the octets after `next`
  // said that there is no more.
  std::string_view run();
  // The frame is not passed on; its run has been taken.
  void drop();
  // Of a dropped frame: what of its payload is among the octets, once for each `give`. `payload_left`: how much of it
  // is still to come.
  std::string_view take_payload();
  size_t payload_left() const { return left_; }

  // The octets so far end within a frame, its head included.
  bool within_frame() const { return left_ > 0 || parts_size_ > 0; }

 private:
  static constexpr size_t kMostParts = kFrameHeadSize + 4;

  bool skip_payload();
  void complete(std::string_view head);
  bool piece_together();

  std::string_view octets_;
  size_t at_ = 0;        // looked at so far
  size_t run_ = 0;       // passed on so far
  size_t run_end_ = 0;   // to be passed on
  uint64_t left_;        // of the payload
  FrameHead frame_;
  std::array<char, kMostParts> parts_;
  size_t parts_size_ = 0;       // of a head that is not complete
  size_t complete_parts_ = 0;   // of one that has just become so
  bool dropping_ = false;
};

}   // namespace proxyd::http2
