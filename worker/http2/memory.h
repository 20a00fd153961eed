#pragma once

#include <cstddef>

namespace proxyd::http2 {

// Where a session's memory comes from: its streams, what nghttp2 needs, and content that was received and not yet
// consumed. Implemented by the owner, over a pool that outlives the sessions; sizes are at most kLargest but for a
// header table or a list of streams that is unusually large. One thread.
class Memory {
 public:
  static constexpr size_t kLargest = 16 * 1024;

  virtual ~Memory() = default;

  // Aligned for anything. Throws std::bad_alloc, which ends the connection.
  virtual void* allocate(size_t size) = 0;
  virtual void release(void* memory, size_t size) = 0;
};

}   // namespace proxyd::http2
