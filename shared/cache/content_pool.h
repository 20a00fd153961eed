#pragma once

#include <cstdint>
#include <optional>

#include "shared/cache/member.h"

namespace proxyd::cache {

// The blocks of the content pool. A block is taken for an object: its owner word says so, and until the object lists it
// the worker's claim does as well, so that a death between the two loses nothing. One robust mutex for each size class
// and one for the segments, taken in that order, below a shard's. Process-side, owned by the Cache, one thread.
//
// Killed while a lock is held: the next holder ends or undoes the change that the intent names, and rebuilds that
// segment's map from its owner words. Killed with a claim: `settle_claims` of the master.
class ContentPool {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  explicit ContentPool(const Member& member) : member_(member) {}

  // The class whose blocks are the smallest that hold `octets`; kWholeSegment beyond 64 KiB.
  static uint32_t class_for(uint64_t octets);
  // The class for the next piece of a content of which `octets` are still to come: one block if little of it is lost,
  // else the largest that is filled whole.
  static uint32_t class_for_piece(uint64_t octets);

  // A block of this class for the object, with its claim; where it has no free one and the memory limit no segment for
  // it, one up to twice as large that another class has free. 0: there is none, or it was `hindered`. The caller
  // pins the object, or makes it under the shard's lock, and then waits `briefly`.
  BlockRef take(uint32_t size_class, ObjectIndex owner, Wait wait = Wait::patiently);
  // For a piece of a content: one that another class has free, smaller, but half as large at least.
  BlockRef take_smaller(uint32_t size_class, ObjectIndex owner);
  // The last `take` failed because a lock was busy or this worker has no claim left: to make room would not help.
  bool hindered() const { return hindered_; }
  // A busy lock keeps this process from freeing what would be room.
  void hinder() { hindered_ = true; }
  // When it was hindered by the lock of the segments, which nobody waits for with another in hand: until that is free,
  // patiently. The caller holds none. False: it was something else, or the lock is not to be had.
  bool wait_for_segments();
  // The object lists it now.
  void settle(BlockRef block, ObjectIndex owner) { settle(block, owner, member_.holder.slot); }
  // Before the object ceases to list it; `free` then frees it, with the claim. False: this worker has no claim left.
  bool claim(BlockRef block, ObjectIndex owner);
  // Frees a block that this worker claims, or of an object that it is freeing; nothing if it is freed already. False:
  // busy, it is as before; it waits briefly only. `claimant`: the worker slot whose claim it is.
  bool free(BlockRef block, ObjectIndex owner) { return free(block, owner, member_.holder.slot); }
  bool free(BlockRef block, ObjectIndex owner, uint32_t claimant);
  // The owner, by a look without lock.
  ObjectIndex owner_of(BlockRef block) const;
  bool owns(BlockRef block, ObjectIndex owner) const { return block != 0 && owner_of(block) == owner; }

  // How many segments the memory limit allows now.
  uint32_t allowed_segments() const;
  uint32_t used_segments() const;
  uint32_t touched_segments() const;   // no more were ever used: how far a walk over all has to go
  uint64_t used_granules() const;
  // Gives back the segments that classes keep empty for their next block; whether there was one. Ends at the first busy
  // lock.
  bool drop_empty_segments();
  // Takes and releases each lock, so that what a dead holder left is repaired. False: one was busy.
  bool visit_locks();
  // Of some segments from `first` on that are cut for a class, the one that is emptied at the least loss.
  struct Emptying {
    uint32_t segment = kNone;   // kNone: nothing in them can be killed
    uint64_t loss = 0;          // octets of the objects that have blocks in it, by a sample
    uint32_t next = 0;          // where another look begins
  };
  Emptying cheapest_to_empty(uint32_t first) const;

  // A free segment set aside so that its pages can be given back outside of the lock; `back` returns it, or
  // `return_set_aside` after the death of who had it.
  uint32_t set_aside();
  void back(uint32_t segment);
  void return_set_aside(uint32_t slot);

 private:
  friend class ClassLock;
  friend class PoolLock;
  std::atomic<uint32_t>& owner_word(BlockRef block) const;
  void repair_class(uint32_t size_class);
  void repair_pool();
  void undo(uint64_t intent, uint32_t cut);
  void rebuild(uint32_t segment);
  void make_map(uint32_t segment);
  bool is_empty(const Segment& segment) const;
  bool can_claim() const;
  bool has_free(uint32_t size_class) const;
  BlockRef take_of(uint32_t size_class, ObjectIndex owner, Wait wait);
  BlockRef take_listed(SizeClass& one, uint32_t size_class, ObjectIndex owner);
  BlockRef take_free(uint32_t size_class, ObjectIndex owner);
  bool add_segment(uint32_t size_class);
  bool drop_segment(uint32_t size_class, uint32_t segment);
  void list(SizeClass& one, uint32_t segment);
  void unlist(SizeClass& one, uint32_t segment);
  BlockRef take_whole(ObjectIndex owner, Wait wait);
  bool free_in_class(uint32_t size_class, BlockRef block, ObjectIndex owner, uint32_t claimant);
  bool free_whole(BlockRef block, ObjectIndex owner, uint32_t claimant);
  void settle(BlockRef block, ObjectIndex owner, uint32_t claimant);
  uint32_t take_free_segment();
  void list_free_segment(uint32_t segment);
  std::optional<uint64_t> loss_of(uint32_t segment, uint64_t least, uint64_t most) const;

  const Member& member_;
  bool hindered_ = false;
  bool segments_were_busy_ = false;
};

}   // namespace proxyd::cache
