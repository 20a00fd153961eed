#include "worker/tls/openssl_memory.h"

#include <malloc.h>
#include <openssl/crypto.h>
#if defined(__has_feature) && __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <cstring>

namespace proxyd::tls {
namespace {

constexpr size_t kStep = 16;                    // what the heap rounds to as well
constexpr size_t kHeapHead = 8;                 // … less its own octets, so that no piece needs a head of ours
constexpr size_t kLargest = 20 * 1024;          // a record and what is beside it in a buffer
constexpr size_t kMostKept = 4 * 1024 * 1024;   // octets

struct Piece {
  Piece* next;
};

// What is free is not to be touched: ASan sees who does. It has to see the links of the list, though.
#if defined(__has_feature) && __has_feature(address_sanitizer)
void guard(Piece* piece) { __asan_poison_memory_region(piece + 1, ::malloc_usable_size(piece) - sizeof *piece); }
void unguard(Piece* piece) { __asan_unpoison_memory_region(piece + 1, ::malloc_usable_size(piece) - sizeof *piece); }
#else
void guard(Piece*) {}
void unguard(Piece*) {}
#endif

// A piece of class n holds 16 n + 8 octets, as the heap's do.
constexpr size_t class_for(size_t size) { return size <= kStep + kHeapHead ? 1 : (size + kHeapHead - 1) / kStep; }
constexpr size_t size_of(size_t its_class) { return its_class * kStep + kHeapHead; }
size_t class_of(void* piece) { return (::malloc_usable_size(piece) - kHeapHead) / kStep; }

// Never destroyed: OpenSSL gives back its own last, when the process has nearly ended.
struct Pool {
  std::array<Piece*, kLargest / kStep + 1> free{};
  size_t kept = 0;
};

Pool& pool_of_this_thread() {
  thread_local Pool pool;   // trivially destructible
  return pool;
}

void* allocate(size_t size, const char*, int) {
  if (size == 0) return nullptr;
  if (size > kLargest) return std::malloc(size);
  Pool& pool = pool_of_this_thread();
  const size_t its_class = class_for(size);
  Piece* const piece = pool.free[its_class];
  if (!piece) return std::malloc(size_of(its_class));
  unguard(piece);
  pool.free[its_class] = piece->next;
  pool.kept -= size_of(its_class);
  return piece;
}

void release(void* memory, const char*, int) {
  if (!memory) return;
  Pool& pool = pool_of_this_thread();
  const size_t its_class = class_of(memory);
  if (its_class >= pool.free.size() || pool.kept + size_of(its_class) > kMostKept) return std::free(memory);
  auto* const piece = static_cast<Piece*>(memory);
  assert(piece != pool.free[its_class] && "released twice");
  piece->next = pool.free[its_class];
  guard(piece);
  pool.free[its_class] = piece;
  pool.kept += size_of(its_class);
}

void* reallocate(void* memory, size_t size, const char* file, int line) {
  if (!memory) return allocate(size, file, line);
  if (size == 0) {
    release(memory, file, line);
    return nullptr;
  }
  const size_t holds = ::malloc_usable_size(memory);
  if (size <= holds) return memory;
  void* const larger = allocate(size, file, line);
  if (!larger) return nullptr;
  std::memcpy(larger, memory, holds);
  release(memory, file, line);
  return larger;
}

}   // namespace

bool pool_openssl_memory() { return CRYPTO_set_mem_functions(&allocate, &reallocate, &release) == 1; }

}   // namespace proxyd::tls
