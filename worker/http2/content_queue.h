#pragma once

#include <cstddef>
#include <string_view>

#include "worker/http2/memory.h"

namespace proxyd::http2 {

// Octets of content that have arrived and wait to be consumed, in blocks of the session's memory: 4 KiB at first, then
// 16 KiB, and none while it is empty. How many there may be is the business of the stream's window. Owned by a stream.
class ContentQueue {
 public:
  explicit ContentQueue(Memory& memory) : memory_(memory) {}
  ContentQueue(const ContentQueue&) = delete;
  ContentQueue& operator=(const ContentQueue&) = delete;
  ~ContentQueue() { clear(); }

  // Throws std::bad_alloc.
  void append(std::string_view octets);
  // The first octets, as many as lie together; empty when there are none. Valid until they are consumed.
  std::string_view front() const;
  // So many octets from the front on, at most all of them.
  void consume(size_t octets);
  void clear();

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Block {
    Block* next;
    size_t capacity;   // of the block itself, this head included
    size_t begin;      // of what is in it, from the block's start
    size_t end;
  };
  static constexpr size_t kFirstBlock = 4 * 1024;
  static constexpr size_t kNextBlock = Memory::kLargest;

  void add_block();
  void drop_first();

  Memory& memory_;
  Block* first_ = nullptr;
  Block* last_ = nullptr;
  size_t size_ = 0;
};

}   // namespace proxyd::http2
