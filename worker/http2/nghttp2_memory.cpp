#include "worker/http2/nghttp2_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

namespace proxyd::http2 {
namespace {

struct alignas(std::max_align_t) Prefix {
  size_t size;   // with this
};

void* allocate(size_t size, void* memory) {
  try {
    auto* prefix = static_cast<Prefix*>(static_cast<Memory*>(memory)->allocate(size + sizeof(Prefix)));
    prefix->size = size + sizeof(Prefix);
    return prefix + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release(void* piece, void* memory) {
  if (!piece) return;
  Prefix* prefix = static_cast<Prefix*>(piece) - 1;
  static_cast<Memory*>(memory)->release(prefix, prefix->size);
}

void* allocate_zeroed(size_t count, size_t size, void* memory) {
  void* piece = allocate(count * size, memory);
  if (piece) std::memset(piece, 0, count * size);
  return piece;
}

void* reallocate(void* piece, size_t size, void* memory) {
  if (!piece) return allocate(size, memory);
  const size_t had = (static_cast<Prefix*>(piece) - 1)->size - sizeof(Prefix);
  if (size <= had && size > had / 2) return piece;
  void* other = allocate(size, memory);
  if (!other) return nullptr;
  std::memcpy(other, piece, std::min(had, size));
  release(piece, memory);
  return other;
}

}   // namespace

nghttp2_mem nghttp2_memory(Memory& memory) { return {&memory, allocate, release, allocate_zeroed, reallocate}; }

}   // namespace proxyd::http2
