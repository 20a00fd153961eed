#include "worker/http2/frame_scanner.h"

#include <algorithm>
#include <cstring>

namespace proxyd::http2 {
namespace {

uint32_t number(const char* from, size_t octets) {
  uint32_t value = 0;
  for (size_t i = 0; i < octets; ++i) value = value << 8 | static_cast<uint8_t>(from[i]);
  return value;
}

// How many octets have to be seen before the frame can be judged.
size_t needed(std::string_view head) {
  if (head.size() < kFrameHeadSize) return kFrameHeadSize;
  const FrameType type = frame_type_from(static_cast<uint8_t>(head[3]));
  const uint32_t length = number(head.data(), 3);
  const bool has_word =
      (type == FrameType::kWindowUpdate && length == 4) || (type == FrameType::kPriority && length == 5);
  return kFrameHeadSize + (has_word ? 4 : 0);
}

}   // namespace

void FrameScanner::give(std::string_view octets) {
  octets_ = octets;
  at_ = run_ = run_end_ = 0;
}

// False when the octets end within it.
bool FrameScanner::skip_payload() {
  const size_t some = std::min<uint64_t>(left_, octets_.size() - at_);
  at_ += some;
  left_ -= some;
  if (dropping_) run_ = at_;
  run_end_ = at_;
  return left_ == 0;
}

void FrameScanner::complete(std::string_view head) {
  frame_.length = number(head.data(), 3);
  frame_.type = frame_type_from(static_cast<uint8_t>(head[3]));
  frame_.flags = static_cast<uint8_t>(head[4]);
  frame_.stream = number(head.data() + 5, 4) & 0x7FFFFFFF;
  frame_.word = head.size() > kFrameHeadSize ? number(head.data() + kFrameHeadSize, 4) & 0x7FFFFFFF : 0;
  left_ = kFrameHeadSize + frame_.length;
  dropping_ = false;
}

// A head of which a part came earlier, or of which a part is still to come.
bool FrameScanner::piece_together() {
  for (;;) {
    const size_t need = needed({parts_.data(), parts_size_});
    if (parts_size_ == need) break;
    if (at_ == octets_.size()) return false;
    parts_[parts_size_++] = octets_[at_++];
  }
  run_ = run_end_ = at_;   // the head began in octets before these, so that nothing in these came before it
  complete({parts_.data(), parts_size_});
  left_ -= parts_size_;
  complete_parts_ = parts_size_;
  parts_size_ = 0;
  return true;
}

bool FrameScanner::next() {
  complete_parts_ = 0;
  if (left_ > 0 && !skip_payload()) return false;
  if (at_ == octets_.size() && parts_size_ == 0) return false;
  const std::string_view rest = octets_.substr(at_);
  if (parts_size_ == 0 && rest.size() >= kFrameHeadSize) {
    const size_t need = needed(rest);
    if (rest.size() >= need) {
      complete(rest.substr(0, need));
      return true;
    }
  }
  return piece_together();
}

std::string_view FrameScanner::run() {
  const std::string_view run = octets_.substr(run_, run_end_ - run_);
  run_ = run_end_;
  return run;
}

void FrameScanner::drop() {
  dropping_ = true;
  if (complete_parts_ == 0) {
    at_ += kFrameHeadSize;
    left_ -= kFrameHeadSize;
    run_ = run_end_ = at_;
  }
  complete_parts_ = 0;
}

std::string_view FrameScanner::take_payload() {
  const size_t before = at_;
  skip_payload();
  return octets_.substr(before, at_ - before);
}

}   // namespace proxyd::http2
