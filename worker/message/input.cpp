#include "worker/message/input.h"

#include <cstring>

namespace proxyd::message {

net::Moved Input::read(net::Stream& stream, size_t size) {
  if (!buffer_) buffer_ = pool_->borrow(size);
  const net::Moved moved = stream.read(buffer_.data() + end_, buffer_.capacity() - end_);
  if (moved.state == net::Moved::State::kSome) end_ += moved.octets;
  return moved;
}

bool Input::make_room(size_t limit) {
  const std::string_view partial = unread();
  if (begin_ > 0) {
    std::memmove(buffer_.data(), partial.data(), partial.size());
  } else {
    if (buffer_.capacity() >= limit) return false;
    net::Buffer larger = pool_->borrow(buffer_.capacity() + 1);
    if (larger.capacity() <= buffer_.capacity()) return false;
    std::memcpy(larger.data(), partial.data(), partial.size());
    buffer_ = std::move(larger);
  }
  begin_ = 0;
  end_ = partial.size();
  return true;
}

void Input::release() {
  buffer_.release();
  begin_ = end_ = 0;
}

}   // namespace proxyd::message
