#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace proxyd::net {

class BufferPool;

// A borrowed piece of memory, given back when destroyed. Move-only, so it is given back once.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_class_(other.size_class_) {}
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { release(); }

  explicit operator bool() const { return data_ != nullptr; }
  char* data() const { return data_; }
  size_t capacity() const;
  void release();

 private:
  friend class BufferPool;
  Buffer(BufferPool& pool, char* data, uint8_t size_class) : pool_(&pool), data_(data), size_class_(size_class) {}

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  uint8_t size_class_ = 0;
};

// The worker's I/O buffers in four sizes: 4 KiB for a head, 16 KiB for a response's beginning, 64 KiB for bulk, and
// 128 KiB for heads as large as they may be. Free ones are kept for reuse up to a bound a size and trimmed once a
// second by the worker's housekeeping. In debug builds a buffer that comes back twice is caught. One thread.
class BufferPool {
 public:
  static constexpr std::array<size_t, 4> kSizes = {4096, 16384, 65536, 131072};

  BufferPool() = default;
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool() { trim(0); }

  // The smallest size that holds `size`; the largest when none does.
  Buffer borrow(size_t size) {
    uint8_t size_class = 0;
    while (size_class + 1u < kSizes.size() && kSizes[size_class] < size) ++size_class;
    return borrow_class(size_class);
  }
  // Frees what was not needed since the last call, and all beyond `keep` a size; gives how many octets that were.
  size_t trim(size_t keep);

  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  friend class Buffer;
  struct Free {
    Free* next;
  };
  struct Class {
    Free* first = nullptr;
    size_t free = 0;
    size_t least_free = 0;   // since the last trim: so many were not needed
  };
  Buffer borrow_class(uint8_t size_class);
  void give_back(char* data, uint8_t size_class);

  std::array<Class, kSizes.size()> classes_;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}   // namespace proxyd::net
