#include "worker/async/frame_pool.h"

#include <new>

namespace proxyd::async {
namespace {

constexpr size_t class_of(size_t size) { return (size - 1) / FramePool::kStep; }
constexpr size_t size_of_class(size_t index) { return (index + 1) * FramePool::kStep; }

}   // namespace

FramePool& FramePool::of_this_thread() {
  thread_local FramePool pool;
  return pool;
}

FramePool::~FramePool() {
  for (Free* frame : free_) {
    while (frame) {
      Free* const next = frame->next;
      ::operator delete(frame);
      frame = next;
    }
  }
}

void* FramePool::allocate(size_t size) {
  if (size > kLargest) return ::operator new(size);
  const size_t its_class = class_of(size);
  Free* const frame = free_[its_class];
  if (!frame) return ::operator new(size_of_class(its_class));
  free_[its_class] = frame->next;
  kept_ -= size_of_class(its_class);
  return frame;
}

void FramePool::release(void* frame, size_t size) {
  if (size > kLargest) return ::operator delete(frame);
  const size_t its_class = class_of(size);
  if (kept_ + size_of_class(its_class) > kKeptBytes) return ::operator delete(frame);
  free_[its_class] = new (frame) Free{free_[its_class]};
  kept_ += size_of_class(its_class);
}

}   // namespace proxyd::async
