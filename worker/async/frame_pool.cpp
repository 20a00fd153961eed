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
  for (Class& size_class : classes_) {
    while (Free* frame = size_class.first) {
      size_class.first = frame->next;
      ::operator delete(frame);
    }
  }
}

void* FramePool::allocate(size_t size) {
  if (size > kLargest) return ::operator new(size);
  Class& size_class = classes_[class_of(size)];
  Free* frame = size_class.first;
  if (!frame) return ::operator new(size_of_class(class_of(size)));
  size_class.first = frame->next;
  --size_class.kept;
  return frame;
}

void FramePool::release(void* frame, size_t size) {
  if (size > kLargest) return ::operator delete(frame);
  Class& size_class = classes_[class_of(size)];
  if ((size_class.kept + 1) * size_of_class(class_of(size)) > kKeptBytes) return ::operator delete(frame);
  size_class.first = new (frame) Free{size_class.first};
  ++size_class.kept;
}

}   // namespace proxyd::async
