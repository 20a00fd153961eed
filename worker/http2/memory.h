#pragma once

#include <cstddef>

namespace proxyd::http2 {

// Where a session's memory comes from: its streams, what nghttp2 needs, and content that was received and not yet
// consumed. Implemented by the owner, over a pool that outlives the sessions. Sizes are at most kLargest, but for the
// buffer of a session in which nghttp2 makes frames (16.5 KiB), large header blocks that come in parts (144 KiB at
// most, while they come), and texts in them that are Huffman-coded (128 KiB). One thread.
class Memory {
 public:
  static constexpr size_t kLargest = 16 * 1024;

  virtual ~Memory() = default;

  // Aligned for anything. Throws std::bad_alloc, which ends the connection.
  virtual void* allocate(size_t size) = 0;
  virtual void release(void* memory, size_t size) = 0;
};

}   // namespace proxyd::http2
