#include "shared/cache/extents.h"

namespace proxyd::cache {

BlockRef Extents::at(const Cursor& where) const {
  if (where.number < kDirectExtents) return object_.direct[where.number].load(std::memory_order_acquire);
  if (where.block == 0) return 0;
  const uint32_t in_block = (where.number - kDirectExtents) % kExtentsInBlock;
  return extent_block(where.block).extents[in_block].load(std::memory_order_acquire);
}

Extents::Cursor Extents::after(const Cursor& where) const {
  const uint32_t number = where.number + 1;
  if (number < kDirectExtents) return Cursor{number, 0};
  if (number == kDirectExtents) return Cursor{number, object_.chain.load(std::memory_order_acquire)};
  const bool next_block = (number - kDirectExtents) % kExtentsInBlock == 0;
  if (!next_block || where.block == 0) return Cursor{number, where.block};
  return Cursor{number, extent_block(where.block).next.load(std::memory_order_acquire)};
}

bool Extents::lists(BlockRef block) const {
  if (object_.head.load() == block) return true;
  for (const auto& retired : object_.retired) {
    if (retired.load() == block) return true;
  }
  return each([block](BlockRef ref) { return ref == block; });
}

}   // namespace proxyd::cache
