#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"
#include "shared/cache/shards.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}   // namespace

// What is far apart in memory is mended where the journals say that it was being changed: the queues, and in the index
// the groups of two rows. Free rows, limbo and sums are made anew from the rows, one after the other. Under the lock of
// a dead holder.
void Shards::repair(uint32_t shard) {
  Shard& it = member_.view.shard(shard);
  settle_listed_claims(shard, it.changed_by.load());
  const uint32_t touched = it.touched.load();
  Eviction eviction(member_.view.eviction(shard, touched));
  if (!eviction.recover()) eviction.rebuild();
  step("repair shard: queues");
  for (const ObjectIndex index : {it.entering.load(), it.leaving.load()}) repair_group(shard, index);
  step("repair shard: index");
  it.first_free = kNoObject;
  it.newly_dead = it.waiting = RowList{kNoObject, kNoObject};
  it.limbo.store(0, kRelaxed);
  it.objects.store(0, kRelaxed);
  it.large.store(0, kRelaxed);
  it.reclaims.fetch_add(1, kRelaxed);
  step("repair shard: lists are empty");
  const uint64_t limit = capacity_.large_limit();
  for (uint32_t i = 0; i < touched; ++i) repair_row(it, row(shard, i), limit);
  repair_entering(shard, it.entering.load());
  note_weight(shard);
  count(member_.tally().shard_repairs);
}

void Shards::repair_group(uint32_t shard, ObjectIndex index) {
  if (index == kNoObject) return;
  index_.rebuild(IndexPlace::of(member_.view.geometry(), member_.view.object(index).hash), [&](ObjectIndex one) {
    return one / rows_ == shard && !Life::of(member_.view.object(one).life.load()).is_gone();
  });
}

// One that was opened and is not in the index: it gets there, or goes.
void Shards::repair_entering(uint32_t shard, ObjectIndex index) {
  if (index == kNoObject) return;
  const Object& object = member_.view.object(index);
  if (Life::of(object.life.load()).is_gone() || indexed(index)) return;
  const IndexPlace place = IndexPlace::of(member_.view.geometry(), object.hash);
  if (place.shard != shard) return;
  if (same_key(index) != kNoObject || !index_.insert(place, index)) kill(index);
}

void Shards::repair_row(Shard& shard, ObjectIndex index, uint64_t limit) {
  Object& object = member_.view.object(index);
  const Life life = Life::of(object.life.load());
  if (life.is_gone()) evictions_[member_.view.shard_of(index)].remove(index % rows_);
  const bool kept = object.eviction.place.load(kRelaxed) != Place::none;
  const bool is_large = kept && ((object.marks.load(kRelaxed) & kLarge) != 0 || object.eviction.weight > limit);
  object.marks.store(is_large ? kLarge : 0, kRelaxed);
  if (is_large) shard.large.fetch_add(object.eviction.weight, kRelaxed);
  if (life.state == State::freeing) return;   // by a living worker, or one whose notes the master looks at
  if (life.state == State::free) {
    give_row_back(index);
    return;
  }
  if (life.dead) {
    to_limbo(index);
    return;
  }
  shard.objects.fetch_add(1, kRelaxed);
  for (auto& retired : object.retired) {   // whoever retired it died before another took its place
    if (retired.load() == object.head.load()) retired.store(0);
  }
  const bool has_old_heads = object.retired[0].load() != 0 || object.retired[1].load() != 0;
  if (kept && has_old_heads) weigh_again(index, weigh_content(index) + member_.view.block_size(object.head.load()));
  if (has_old_heads) to_limbo(index);
}

bool Shards::indexed(ObjectIndex index) const {
  bool found = false;
  index_.candidates(IndexPlace::of(member_.view.geometry(), member_.view.object(index).hash), [&](ObjectIndex one) {
    found = one == index;
    return found;
  });
  return found;
}

ObjectIndex Shards::same_key(ObjectIndex index) const {
  const Object& object = member_.view.object(index);
  return find(IndexPlace::of(member_.view.geometry(), object.hash), object.hash, member_.view.head_of(object)->key());
}

// A block that the dead holder had linked but still claimed: it is the object's now. Others are left to the master.
void Shards::settle_listed_claims(uint32_t shard, uint32_t slot) {
  for (auto& one : member_.view.slot(slot).claims) {
    const uint64_t word = one.load();
    const auto index = static_cast<ObjectIndex>(word >> 32);
    if (word == 0 || index / rows_ != shard) continue;
    const Object& object = member_.view.object(index);
    if (!Life::of(object.life.load()).is_used()) continue;
    if (Extents(member_.view, object).lists(static_cast<BlockRef>(word))) one.store(0);
  }
}

}   // namespace proxyd::cache
