#include "worker/net/buffer_pool.h"

#include <algorithm>
#include <cassert>
#include <new>

namespace proxyd::net {
namespace {

constexpr size_t kMostKept = 256;   // of a size

}   // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  data_ = std::exchange(other.data_, nullptr);
  size_class_ = other.size_class_;
  return *this;
}

size_t Buffer::capacity() const { return data_ ? BufferPool::kSizes[size_class_] : 0; }

void Buffer::release() {
  if (data_) pool_->give_back(std::exchange(data_, nullptr), size_class_);
}

Buffer BufferPool::borrow_class(uint8_t size_class) {
  Class& from = classes_[size_class];
  if (!from.first) {
    ++misses_;
    return Buffer(*this, static_cast<char*>(::operator new(kSizes[size_class])), size_class);
  }
  ++hits_;
  Free* free = from.first;
  from.first = free->next;
  --from.free;
  from.least_free = std::min(from.least_free, from.free);
  return Buffer(*this, reinterpret_cast<char*>(free), size_class);
}

void BufferPool::give_back(char* data, uint8_t size_class) {
  Class& to = classes_[size_class];
#ifndef NDEBUG
  for (const Free* free = to.first; free; free = free->next) {
    assert(reinterpret_cast<const char*>(free) != data && "a buffer came back twice");
  }
#endif
  if (to.free == kMostKept) return ::operator delete(data);
  to.first = new (data) Free{to.first};
  ++to.free;
}

size_t BufferPool::trim(size_t keep) {
  size_t freed = 0;
  for (size_t i = 0; i < classes_.size(); ++i) {
    Class& size_class = classes_[i];
    const size_t unneeded = std::max(size_class.least_free, size_class.free - std::min(size_class.free, keep));
    for (size_t left = unneeded; left > 0 && size_class.first; --left) {
      Free* free = size_class.first;
      size_class.first = free->next;
      --size_class.free;
      ::operator delete(free);
      freed += kSizes[i];
    }
    size_class.least_free = size_class.free;
  }
  return freed;
}

}   // namespace proxyd::net
