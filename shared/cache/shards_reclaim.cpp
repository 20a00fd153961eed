#include <array>
#include <bitset>

#include "shared/cache/extents.h"
#include "shared/cache/pins.h"
#include "shared/cache/shards.h"
#include "shared/cache/step.h"

// Freeing what nobody reads any more: look at limbo under the lock, at all pins without it, and take under the lock
// again what no pin named. A reader that pinned too late to be seen finds the object dead, for it died before the look.
namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kMostNew = kReclaimBatch - kReclaimBatch / 8;   // of a batch, lest those that wait are forgotten

}   // namespace

struct Shards::Batch {
  struct Row {
    ObjectIndex index = kNoObject;
    uint32_t generation = 0;
    bool dead = false;
    bool pinned = false;
    std::array<BlockRef, kRetiredHeads> retired{};
    std::array<bool, kRetiredHeads> retired_pinned{};
  };
  std::array<Row, kReclaimBatch> rows;
  uint32_t count = 0;
  uint32_t not_waiting = 0;    // the first of them; the others were pinned before
  uint32_t reclaims = 0;       // of the shard, when it was looked at
  std::bitset<1024> indices;   // which rows, by the low bits of their index

  void look_at(ObjectIndex index, const Object& object) {
    const Life life = Life::of(object.life.load());
    Row& row = rows[count++];
    row.index = index;
    row.generation = life.generation;
    row.dead = life.dead;
    for (size_t i = 0; i < kRetiredHeads; ++i) row.retired[i] = object.retired[i].load();
    indices.set(index % 1024);
  }
};

Shards::Reclaimed Shards::reclaim(uint32_t shard, Wait wait) {
  if (member_.view.shard(shard).limbo.load(kRelaxed) == 0) return {};
  const Reclaimed hindered{.hindered = true};
  Batch batch;
  if (!finish_freeing(member_.holder.slot, member_.holder) || !look_at_limbo(shard, wait, batch)) return hindered;
  if (batch.count == 0) return {};
  look_at_pins(batch);
  const Reclaimed reclaimed = take_from_limbo(shard, batch);
  return finish_freeing(member_.holder.slot, member_.holder) ? reclaimed : hindered;
}

void Shards::free_old_heads(ObjectIndex index) {
  const uint32_t shard = member_.view.shard_of(index);
  Batch batch;
  {
    Lock lock(*this, shard);
    if (!lock) return;
    batch.reclaims = member_.view.shard(shard).reclaims.load(kRelaxed);
    batch.look_at(index, member_.view.object(index));
  }
  look_at_pins(batch);
  Lock lock(*this, shard);
  if (!lock || member_.view.shard(shard).reclaims.load(kRelaxed) != batch.reclaims) return;
  lock.change();
  member_.view.shard(shard).reclaims.fetch_add(1, kRelaxed);
  if (!Life::of(member_.view.object(index).life.load()).dead) (void)free_retired(index, batch, 0);
}

bool Shards::look_at_limbo(uint32_t shard, Wait wait, Batch& batch) {
  Lock lock(*this, shard, wait);
  if (!lock) return false;
  Shard& it = member_.view.shard(shard);
  batch.reclaims = it.reclaims.load(kRelaxed);
  look_at_list(it.newly_dead.first, batch, kMostNew);
  batch.not_waiting = batch.count;
  look_at_list(it.waiting.first, batch, kReclaimBatch);
  return true;
}

void Shards::look_at_list(ObjectIndex first, Batch& batch, uint32_t most) {
  for (ObjectIndex index = first; index != kNoObject && batch.count < most;) {
    const Object& object = member_.view.object(index);
    batch.look_at(index, object);
    index = object.next.load(kRelaxed);
  }
}

void Shards::look_at_pins(Batch& batch) const {
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const WorkerSlot& worker = member_.view.slot(slot);
    const uint32_t used = member_.view.pins_used(slot).load();
    for (uint32_t i = 0; i < used; ++i) {
      const Pin pin = Pin::of(worker.pins[i].load());
      if (pin.index == kNoObject || !batch.indices[pin.index % 1024]) continue;
      for (uint32_t at = 0; at < batch.count; ++at) {
        Batch::Row& row = batch.rows[at];
        if (row.index != pin.index) continue;
        row.pinned = true;
        for (size_t k = 0; k < kRetiredHeads; ++k) {
          row.retired_pinned[k] = row.retired_pinned[k] || pin.head == 0 || pin.head == row.retired[k];
        }
      }
    }
  }
}

// Only the first rows of either list can be in the batch, and only if nobody has taken a batch since.
Shards::Reclaimed Shards::take_from_limbo(uint32_t shard, Batch& batch) {
  Reclaimed reclaimed{.hindered = true};
  Lock lock(*this, shard, Wait::briefly);
  if (!lock) return reclaimed;
  Shard& it = member_.view.shard(shard);
  if (it.reclaims.load(kRelaxed) != batch.reclaims) return reclaimed;
  lock.change();
  it.reclaims.fetch_add(1, kRelaxed);
  bool busy = false;
  for (uint32_t at = 0; at < batch.count; ++at) {
    const Batch::Row& row = batch.rows[at];
    Object& object = member_.view.object(row.index);
    RowList& list = at < batch.not_waiting ? it.newly_dead : it.waiting;
    if (!unlink_from_limbo(it, list, row.index)) break;   // a repair has ordered the list anew
    const Life life = Life::of(object.life.load());
    if (row.dead && !row.pinned && life.generation == row.generation) {
      take_row_from_limbo(row.index, reclaimed.rows++);
      continue;
    }
    if (!life.dead && !busy) busy = !free_retired(row.index, batch, at);
    const bool waits = life.dead || object.retired[0].load() != 0 || object.retired[1].load() != 0;
    if (waits) to_waiting(row.index);
  }
  reclaimed.hindered = false;
  reclaimed.more = it.newly_dead.first != kNoObject;
  return reclaimed;
}

// False: it is not the first of its list.
bool Shards::unlink_from_limbo(Shard& shard, RowList& list, ObjectIndex index) {
  if (list.first != index) return false;
  Object& object = member_.view.object(index);
  list.first = object.next.load(kRelaxed);
  if (list.first == kNoObject) list.last = kNoObject;
  step("reclaim: unlinked");
  object.marks.fetch_and(~kInLimbo, kRelaxed);
  shard.limbo.fetch_sub(1, kRelaxed);
  return true;
}

// Says in the worker's slot that it frees this row, then that the row is being freed by it.
void Shards::take_row_from_limbo(ObjectIndex index, uint32_t place) {
  Object& object = member_.view.object(index);
  notes_ = true;
  member_.slot().freeing[place].store(index + 1);
  step("reclaim: noted");
  object.filler.store(member_.holder.word());
  Life life = Life::of(object.life.load());
  life.state = State::freeing;
  object.life.store(life.word());
  step("reclaim: freeing");
}

// Old heads of a living object that no pin names. False: a lock was busy; where that was behind the claim, the claim
// stays until this worker looks at its claims again.
bool Shards::free_retired(ObjectIndex index, const Batch& batch, uint32_t at) {
  Object& object = member_.view.object(index);
  const Batch::Row& row = batch.rows[at];
  for (size_t i = 0; i < kRetiredHeads; ++i) {
    const BlockRef block = object.retired[i].load();
    if (block == 0 || block != row.retired[i] || row.retired_pinned[i]) continue;
    if (!pool_.claim(block, index)) return false;
    step("retired: claimed");
    object.retired[i].store(0);
    step("retired: not listed");
    if (!pool_.free(block, index)) return false;
  }
  return true;
}

// What a busy lock is in the way of stays noted; the others need not wait for it.
bool Shards::finish_freeing(uint32_t slot, Holder holder) {
  const bool own = slot == member_.holder.slot;
  if (own && !notes_) return true;   // as in most passes of a loop
  bool all = true;
  std::bitset<kReclaimBatch> done;
  std::bitset<kMostShards> shards;
  auto& freeing = member_.view.slot(slot).freeing;
  for (uint32_t i = 0; i < kReclaimBatch; ++i) {
    const uint32_t noted = freeing[i].load();
    if (noted == 0) continue;
    const Object& object = member_.view.object(noted - 1);
    const bool ours = Life::of(object.life.load()).state == State::freeing && object.filler.load() == holder.word();
    if (!ours) {
      freeing[i].store(0);
    } else if (free_blocks(noted - 1)) {
      done.set(i);
      shards.set(member_.view.shard_of(noted - 1));
    } else {
      all = false;
    }
  }
  for (uint32_t shard = 0; shard < member_.view.geometry().shard_count; ++shard) {
    if (!shards[shard]) continue;
    Lock lock(*this, shard, Wait::briefly);
    if (!lock) return false;
    lock.change();
    for (uint32_t i = 0; i < kReclaimBatch; ++i) {
      const uint32_t noted = freeing[i].load();
      if (!done[i] || member_.view.shard_of(noted - 1) != shard) continue;
      free_row(noted - 1);
      freeing[i].store(0);
      step("reclaim: forgotten");
    }
  }
  if (own && all) notes_ = false;
  return all;
}

void Shards::free_row(ObjectIndex index) {
  Object& object = member_.view.object(index);
  // Free first: one that is freed by nobody would stay so.
  object.life.store(Life{.generation = Life::of(object.life.load()).generation}.word());
  step("reclaim: free");
  object.filler.store(0);
  step("reclaim: nobody's");
  give_row_back(index);
  step("reclaim: in the free list");
}

// May be repeated from the start after a death anywhere in it: what is freed already has another owner, or none.
bool Shards::free_blocks(ObjectIndex index) {
  Object& object = member_.view.object(index);
  const auto free_one = [this, index](std::atomic<BlockRef>& place) {
    const BlockRef block = place.load();
    if (block == 0) return true;
    if (!pool_.free(block, index)) return false;
    step("reclaim: block freed");
    place.store(0);
    return true;
  };
  bool all = free_one(object.head);
  for (auto& retired : object.retired) all = all && free_one(retired);
  for (auto& extent : object.direct) all = all && free_one(extent);
  return all && free_chain(index);
}

// Each extent block in turn: its extents, then itself. Where the list goes on is kept in the row before it is freed,
// for after that its words belong to others.
bool Shards::free_chain(ObjectIndex index) {
  Object& object = member_.view.object(index);
  while (const BlockRef block = object.chain.load()) {
    if (pool_.owns(block, index)) {
      auto& list = *reinterpret_cast<ExtentBlock*>(member_.view.block(block));
      for (auto& extent : list.extents) {
        const BlockRef one = extent.load();
        if (one != 0 && !pool_.free(one, index)) return false;
      }
      step("reclaim: extents freed");
      object.rest.store(list.next.load());
      step("reclaim: rest kept");
      if (!pool_.free(block, index)) return false;
    }
    step("reclaim: extent block freed");
    object.chain.store(object.rest.load());
  }
  return true;
}

}   // namespace proxyd::cache
