#include "worker/http2/header_block.h"

#include <algorithm>
#include <optional>

namespace proxyd::http2 {
namespace {

constexpr size_t kPriority = 5;

struct Payload {
  std::string_view fragment;
  uint32_t dependency = 0;
};

uint32_t stream_in(std::string_view word) {
  uint32_t id = 0;
  for (const char c : word.substr(0, 4)) id = id << 8 | static_cast<uint8_t>(c);
  return id & 0x7FFFFFFF;
}

// What a HEADERS frame carries (RFC 9113 6.2); nothing when it cannot be.
std::optional<Payload> understand(const FrameHead& frame, std::string_view payload) {
  size_t padding = 0;
  if (frame.has(frame_flag::kPadded)) {
    if (payload.empty()) return std::nullopt;
    padding = static_cast<uint8_t>(payload.front());
    payload.remove_prefix(1);
  }
  const size_t before = frame.has(frame_flag::kPriority) ? kPriority : 0;
  if (before + padding > payload.size()) return std::nullopt;
  return Payload{.fragment = payload.substr(before, payload.size() - before - padding),
                 .dependency = before > 0 ? stream_in(payload) : 0};
}

}   // namespace

void HeaderBlock::begin_frame(const FrameHead& frame) {
  frame_ = frame;
  if (frame.type == FrameType::kHeaders) {
    head_ = frame;
    size_ = 0;
    in_room_ = false;
    complete_ = false;
    whole_ = {};
  }
}

void HeaderBlock::append(std::string_view octets, size_t more) {
  const size_t need = size_ + octets.size() + more;
  if (need > room_.size()) {
    const size_t size = std::max<size_t>(need, 1024);
    char* const memory = static_cast<char*>(memory_.allocate(size));
    std::copy_n(room_.data(), size_, memory);
    if (!room_.empty()) memory_.release(room_.data(), room_.size());
    room_ = {memory, size};
  }
  octets.copy(room_.data() + size_, octets.size());
  size_ += octets.size();
}

void HeaderBlock::take(std::string_view payload, size_t left) {
  const bool whole = frame_.type == FrameType::kHeaders && frame_.has(frame_flag::kEndHeaders) &&
                     payload.size() == frame_.length && !in_room_;
  if (whole) {
    whole_ = payload;
    return;
  }
  in_room_ = true;
  append(payload, left);
}

bool HeaderBlock::end_frame() {
  complete_ = frame_.has(frame_flag::kEndHeaders);
  if (frame_.type != FrameType::kHeaders) {
    whole_ = {room_.data(), size_};
    return true;
  }
  const std::string_view payload = in_room_ ? std::string_view(room_.data(), size_) : whole_;
  const std::optional<Payload> understood = understand(frame_, payload);
  if (!understood) return false;
  whole_ = understood->fragment;
  depends_on_itself_ = understood->dependency == frame_.stream;
  if (in_room_) {
    std::copy(whole_.begin(), whole_.end(), room_.data());   // toward the front
    size_ = whole_.size();
    whole_ = {room_.data(), size_};
  }
  return true;
}

void HeaderBlock::clear() {
  if (!room_.empty()) memory_.release(room_.data(), room_.size());
  room_ = {};
  size_ = 0;
  in_room_ = false;
  complete_ = false;
  whole_ = {};
}

}   // namespace proxyd::http2
