#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"

namespace proxyd::http {

// Thrown when one message asks for more memory than it may have: the request is answered 500 (RFC 9110 15.6.1) or the
// response 502, and the connection closed.
struct ArenaExhausted : std::bad_alloc {
  const char* what() const noexcept override { return "a message needed more memory than it may have"; }
};

// The memory of one message: everything that is derived from a head and is not a view into the receive buffer.
// Monotonic; the first block is inline, further ones come from the heap and are freed by `reset`, which happens when
// the message is done. Owned by the exchange; nothing of it may be kept beyond (in a cache, in a log).
// Not movable, because views point into it. Bounded by kCapacity bytes.
class Arena {
 public:
  static constexpr size_t kInline = 3072;
  static constexpr size_t kCapacity = 512 * 1024;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t size, size_t alignment = alignof(std::max_align_t)) {
    const size_t at = (used_ + alignment - 1) & ~(alignment - 1);
    if (at + size > end_) return allocate_block(size, alignment);
    used_ = at + size;
    return block_ + at;
  }

  template <class T>
  T* allocate_array(size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
  }

  char* allocate_text(size_t size) { return static_cast<char*>(allocate(size, 1)); }

  std::string_view copy(std::string_view text) {
    char* to = allocate_text(text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  // In decimal digits.
  std::string_view number(uint64_t value);

  // `parts` one after the other.
  template <class... Parts>
  std::string_view concat(const Parts&... parts) {
    const size_t size = (std::string_view(parts).size() + ... + 0);
    char* to = allocate_text(size);
    char* at = to;
    ((at = put_octets(at, std::string_view(parts))), ...);
    return {to, size};
  }

  void reset();

 private:
  void* allocate_block(size_t size, size_t alignment);

  alignas(std::max_align_t) std::array<std::byte, kInline> inline_;
  std::byte* block_ = inline_.data();
  size_t used_ = 0;
  size_t end_ = kInline;
  size_t total_ = kInline;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
};

}   // namespace proxyd::http
