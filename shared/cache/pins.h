#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "shared/cache/member.h"

namespace proxyd::cache {

// A word of the pin table, {object index + 1, head block}. Head 0: whichever it has, also old ones; kNoHead: none, the
// row and its content alone.
struct Pin {
  ObjectIndex index = kNoObject;
  BlockRef head = 0;
  static constexpr BlockRef kNoHead = 0xffffffff;
  static Pin of(uint64_t word) { return Pin{static_cast<ObjectIndex>(word) - 1, static_cast<BlockRef>(word >> 32)}; }
  uint64_t word() const { return (uint64_t{index} + 1) | uint64_t{head} << 32; }
};

// What this process reads. Its table in the region is what reclaimers look at; how many readers of its own share an
// entry is known here alone. An entry is set before the object is looked at and cleared after the last look, by plain
// stores but for the first. What an entry pins never moves to another: whoever looks through the table one word after
// the other would see neither. Process-side, owned by the Cache, one thread, 4,096 entries; allocates when made only.
class Pins {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  explicit Pins(const Member& member);

  // An entry of this object with any head (0), newly set: from now on its row is not freed, if it was not dead already.
  // kNone: the table is full.
  uint32_t pin(ObjectIndex index);
  // The entry that protects this object and this very head, once more; kNone: there is none.
  uint32_t again(ObjectIndex index, BlockRef head);
  void share(uint32_t entry) { ++entries_[entry].readers; }
  // From any head to this one, so that older ones can be freed; for all readers of the entry.
  void narrow(uint32_t entry, BlockRef head);
  // One of its readers needs no head any more; with the last that does the head may be freed. Pairs with
  // `unpin_content`.
  void let_head_go(uint32_t entry);
  void unpin(uint32_t entry);
  void unpin_content(uint32_t entry) {
    --entries_[entry].without_head;
    unpin(entry);
  }
  BlockRef head(uint32_t entry) const { return entries_[entry].head; }
  // Of an object, with whatever head.
  uint32_t readers(ObjectIndex index) const;
  uint32_t in_use() const { return in_use_; }

 private:
  struct Entry {
    ObjectIndex index = kNoObject;
    BlockRef head = 0;
    uint32_t readers = 0;
    uint32_t without_head = 0;   // of these
    uint32_t next = kNone;       // with the same home, or the next free one
  };
  static uint32_t home(ObjectIndex index) { return index % kPins; }
  void forget_head(uint32_t entry);
  [[gnu::cold, gnu::noinline]] void begin_anew();

  const Member& member_;
  std::unique_ptr<std::array<Entry, kPins>> owned_;
  Entry* entries_;
  std::unique_ptr<std::array<uint32_t, kPins>> homes_;
  uint32_t first_free_ = kNone;
  uint32_t used_ = 0;
  uint32_t in_use_ = 0;
};

}   // namespace proxyd::cache
