#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/cache/capacity.h"
#include "shared/cache/content_pool.h"
#include "shared/cache/eviction.h"
#include "shared/cache/index.h"
#include "shared/cache/member.h"

namespace proxyd::cache {

// The rows, index and eviction of the shards: all that is changed under a shard's robust mutex. Process-side, owned by
// the Cache, one thread; what it changes is in the region.
//
// Killed under the lock: whoever takes it next ends what was being changed in the index and in the eviction's queues,
// and makes the lists and sums of that shard anew from the object table, which is legal after every single store.
class Shards {
 public:
  Shards(const Member& member, ContentPool& pool);

  // One shard's lock for a scope, repaired before the scope begins. False: busy, nothing held.
  class Lock {
   public:
    Lock(Shards& shards, uint32_t shard, Wait wait = Wait::patiently);
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock();
    explicit operator bool() const { return held_; }
    // From here on something may be half done, until the scope ends.
    void change();

   private:
    Shard& shard_;
    uint32_t slot_;
    bool held_ = false;
  };

  // --- under the lock, after `change` where something changes ---
  // The live object of this key, compared whole.
  ObjectIndex find(const IndexPlace& place, const KeyHash& hash, std::string_view key) const;
  // A free row, which stays free until `open`; kNoObject: none.
  ObjectIndex take_row(uint32_t shard);
  void give_row_back(ObjectIndex index);
  // Makes a row `opening`, with a head block that has the key alone.
  void open(ObjectIndex index, const KeyHash& hash, BlockRef head);
  // Puts it into the index, in place of `old` (which dies) unless that is kNoObject.
  void link(const IndexPlace& place, ObjectIndex index, ObjectIndex old);
  // Takes it out of index and eviction; it is freed when nobody pins it. Nothing when it is dead already.
  void kill(ObjectIndex index);
  // The old head block waits until nobody pins it, and the object weighs what the new one does. False: too many wait
  // already.
  bool replace_head(ObjectIndex index, BlockRef head);
  // Hands a complete object to the eviction, which may drop others for it, or this one. `content`: what its content
  // weighs. A pass enters in any case, and one leaves for it. Where very many would have to leave at once, the rest is
  // left to whoever keeps house.
  void admit(ObjectIndex index, uint64_t content);
  // Drops the object that the eviction thinks least of; false: it has none.
  bool evict_one(uint32_t shard);

  // --- these take the lock themselves ---
  // Frees rows and old heads in limbo that no pin names, at most a batch, of which an eighth at least is for those that
  // were pinned before. `more`: some were not looked at since they died. What was looked at and is pinned is not meant:
  // others have left in its place already, so that nobody has to wait for it, and each batch looks at those of it that
  // have waited longest. `hindered`: a lock was busy, or another has the batch.
  struct Reclaimed {
    uint32_t rows = 0;   // freed
    bool more = false;
    bool hindered = false;
  };
  Reclaimed reclaim(uint32_t shard, Wait wait);
  // Frees those old heads of an object that no pin names, when they are too many to wait for `reclaim`.
  void free_old_heads(ObjectIndex index);
  // Goes on with rows whose blocks could not be freed because a lock was busy. False: some are left.
  bool finish_freeing(uint32_t slot, Holder holder);

  // --- without lock ---
  // Octets of the blocks that hold the object's content, apart from its head; only for who pins it, once it is
  // complete.
  uint64_t weigh_content(ObjectIndex index) const;
  const Capacity& capacity() const { return capacity_; }
  Eviction& eviction(uint32_t shard) { return evictions_[shard]; }
  const Index& index() const { return index_; }
  ObjectIndex row(uint32_t shard, uint32_t number) const { return shard * rows_ + number; }

 private:
  struct Batch;
  void repair(uint32_t shard);
  void repair_row(Shard& shard, ObjectIndex index, uint64_t large_limit);
  void settle_listed_claims(uint32_t shard, uint32_t slot);
  void repair_group(uint32_t shard, ObjectIndex index);
  void repair_entering(uint32_t shard, ObjectIndex index);
  bool indexed(ObjectIndex index) const;
  ObjectIndex same_key(ObjectIndex index) const;
  void to_limbo(ObjectIndex index);
  void to_waiting(ObjectIndex index);
  void append(RowList& list, ObjectIndex index);
  void leave_eviction(ObjectIndex index);
  bool look_at_limbo(uint32_t shard, Wait wait, Batch& batch);
  void look_at_pins(Batch& batch) const;
  void look_at_list(ObjectIndex first, Batch& batch, uint32_t most);
  Reclaimed take_from_limbo(uint32_t shard, Batch& batch);
  bool unlink_from_limbo(Shard& shard, RowList& list, ObjectIndex index);
  void take_row_from_limbo(ObjectIndex index, uint32_t place);
  bool free_retired(ObjectIndex index, const Batch& batch, uint32_t at);
  bool free_blocks(ObjectIndex index);
  bool free_chain(ObjectIndex index);
  void free_row(ObjectIndex index);
  void note_weight(uint32_t shard);
  void weigh_again(ObjectIndex index, uint64_t octets);
  bool has_row(uint32_t shard) const;

  const Member& member_;
  ContentPool& pool_;
  Capacity capacity_;
  Index index_;
  uint32_t rows_;
  bool notes_ = true;   // this worker's slot may name rows that are being freed
  std::vector<Eviction> evictions_;
};

}   // namespace proxyd::cache
