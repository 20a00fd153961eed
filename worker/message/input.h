#pragma once

#include <cstddef>
#include <string_view>

#include "worker/net/buffer_pool.h"
#include "worker/net/stream.h"

namespace proxyd::message {

// Octets received from a stream and not used yet, in one buffer of the pool; without octets it holds none. A value of
// a connection. Nothing suspends.
class Input {
 public:
  explicit Input(net::BufferPool& pool) : pool_(&pool) {}

  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
  char* front() { return buffer_.data() + begin_; }
  bool empty() const { return begin_ == end_; }
  void consume(size_t octets) { begin_ += octets; }

  // Reads behind what is there. `size` is the buffer to borrow when there is none.
  net::Moved read(net::Stream& stream, size_t size);
  bool full() const { return buffer_ && end_ == buffer_.capacity(); }
  // Makes room behind a partial message, by moving it to the front or to a larger buffer of at most `limit`. False
  // when it is as large as it may be. Views into `unread` must be rebased to its new place.
  bool make_room(size_t limit);
  void release();

 private:
  net::BufferPool* pool_;
  net::Buffer buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}   // namespace proxyd::message
