#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "shared/cache/region_view.h"

namespace proxyd::cache {

inline constexpr uint32_t kExtentsInBlock = 127;

// A block of 512 octets that lists extents beyond the direct ones, and the next such block.
struct ExtentBlock {
  std::atomic<BlockRef> next;
  std::array<std::atomic<BlockRef>, kExtentsInBlock> extents;
};
static_assert(sizeof(ExtentBlock) == 512);

// The blocks of one object's content, in order; the first octets may lie in its head block. Each is full before the
// next is listed. Written by the filler alone, a word at a time; a reader follows them as far as `filled` says. Whoever
// walks pins the object or holds its shard's lock. A view, any process.
class Extents {
 public:
  Extents(const RegionView& view, const Object& object) : view_(view), object_(object) {}

  // Where in the list one is, for walking on without beginning anew.
  struct Cursor {
    uint32_t number = 0;   // of the extent
    BlockRef block = 0;    // the extent block that lists it, for those beyond the direct ones
  };
  // The extent there; 0: not listed yet.
  BlockRef at(const Cursor& where) const;
  Cursor after(const Cursor& where) const;
  // Every block the object lists but its heads: extents and extent blocks, until `visit` returns true; whether it did.
  template <class Visit>
  bool each(Visit visit) const;
  // Whether the object lists the block, as anything.
  bool lists(BlockRef block) const;

 private:
  const ExtentBlock& extent_block(BlockRef ref) const {
    return *reinterpret_cast<const ExtentBlock*>(view_.block(ref));
  }
  RegionView view_;
  const Object& object_;
};

template <class Visit>
bool Extents::each(Visit visit) const {
  for (const auto& extent : object_.direct) {
    const BlockRef ref = extent.load(std::memory_order_acquire);
    if (ref != 0 && visit(ref)) return true;
  }
  for (BlockRef ref = object_.chain.load(std::memory_order_acquire); ref != 0;) {
    if (visit(ref)) return true;
    const ExtentBlock& block = extent_block(ref);
    for (const auto& extent : block.extents) {
      const BlockRef one = extent.load(std::memory_order_acquire);
      if (one != 0 && visit(one)) return true;
    }
    ref = block.next.load(std::memory_order_acquire);
  }
  return false;
}

}   // namespace proxyd::cache
