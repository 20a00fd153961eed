#include "worker/http/arena.h"

#include <algorithm>
#include <charconv>

namespace proxyd::http {

void* Arena::allocate_block(size_t size, size_t alignment) {
  constexpr size_t kBlock = 16 * 1024;
  const size_t block_size = std::max(kBlock, size);
  if (total_ + block_size > kCapacity) throw ArenaExhausted();
  blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block_size));
  total_ += block_size;
  block_ = blocks_.back().get();
  end_ = block_size;
  used_ = 0;
  return allocate(size, alignment);
}

std::string_view Arena::number(uint64_t value) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  return copy({digits, static_cast<size_t>(end - digits)});
}

void Arena::reset() {
  blocks_.clear();
  block_ = inline_.data();
  used_ = 0;
  end_ = kInline;
  total_ = kInline;
}

}   // namespace proxyd::http
