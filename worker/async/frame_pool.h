#pragma once

#include <array>
#include <cstddef>

namespace proxyd::async {

// Memory for coroutine frames, by size class: a frame that ends goes to a free list and serves the next one of its
// size, so that nothing is allocated from the heap in the steady state. One a thread. Bounded: beyond kKeptBytes of a
// class, and beyond kLargest octets, frames go back to the heap.
class FramePool {
 public:
  static constexpr size_t kStep = 128;
  static constexpr size_t kLargest = 16 * 1024;
  static constexpr size_t kKeptBytes = 1024 * 1024;   // of a class

  static FramePool& of_this_thread();

  FramePool() = default;
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;
  ~FramePool();

  void* allocate(size_t size);
  void release(void* frame, size_t size);

 private:
  struct Free {
    Free* next;
  };
  struct Class {
    Free* first = nullptr;
    size_t kept = 0;
  };
  std::array<Class, kLargest / kStep> classes_;
};

}   // namespace proxyd::async
