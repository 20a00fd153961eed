#include "worker/http2/content_queue.h"

#include <algorithm>
#include <cstring>

namespace proxyd::http2 {

void ContentQueue::add_block() {
  const size_t capacity = first_ ? kNextBlock : kFirstBlock;
  auto* block = static_cast<Block*>(memory_.allocate(capacity));
  *block = {.next = nullptr, .capacity = capacity, .begin = sizeof(Block), .end = sizeof(Block)};
  (last_ ? last_->next : first_) = block;
  last_ = block;
}

void ContentQueue::drop_first() {
  Block* block = first_;
  first_ = block->next;
  if (!first_) last_ = nullptr;
  memory_.release(block, block->capacity);
}

void ContentQueue::append(std::string_view octets) {
  while (!octets.empty()) {
    if (!last_ || last_->end == last_->capacity) add_block();
    const size_t some = std::min(octets.size(), last_->capacity - last_->end);
    std::memcpy(reinterpret_cast<char*>(last_) + last_->end, octets.data(), some);
    last_->end += some;
    size_ += some;
    octets.remove_prefix(some);
  }
}

std::string_view ContentQueue::front() const {
  if (!first_) return {};
  return {reinterpret_cast<const char*>(first_) + first_->begin, first_->end - first_->begin};
}

void ContentQueue::consume(size_t octets) {
  octets = std::min(octets, size_);
  size_ -= octets;
  while (octets > 0) {
    const size_t some = std::min(octets, first_->end - first_->begin);
    first_->begin += some;
    octets -= some;
    if (first_->begin == first_->end) drop_first();
  }
}

void ContentQueue::clear() {
  while (first_) drop_first();
  size_ = 0;
}

}   // namespace proxyd::http2
