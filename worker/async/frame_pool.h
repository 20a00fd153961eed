#pragma once

#include <array>
#include <cstddef>

namespace proxyd::async {

// Memory for coroutine frames, by size class: a frame that ends goes to a free list and serves the next one of its
// size, so that nothing is allocated from the heap in the steady state. One a thread. Bounded: when kKeptBytes lie idle
// frames go back to the heap, as those beyond kLargest octets do.
class FramePool {
 public:
  static constexpr size_t kStep = 128;
  static constexpr size_t kLargest = 16 * 1024;
  static constexpr size_t kKeptBytes = 8 * 1024 * 1024;

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
  std::array<Free*, kLargest / kStep> free_{};   // by class
  size_t kept_ = 0;                              // octets
};

}   // namespace proxyd::async
