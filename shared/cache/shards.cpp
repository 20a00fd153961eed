#include "shared/cache/shards.h"

#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kMostEvicted = 64;   // for one that enters

// Moves the life word whatever the filler does to it meanwhile.
template <class Change>
void change_life(Object& object, Change change) {
  uint64_t word = object.life.load();
  while (!object.life.compare_exchange_weak(word, change(Life::of(word)).word())) {
  }
}

}   // namespace

Shards::Shards(const Member& member, ContentPool& pool)
    : member_(member),
      pool_(pool),
      capacity_(member, pool),
      index_(member.view),
      rows_(member.view.geometry().shard_objects) {
  const uint32_t count = member.view.geometry().shard_count;
  evictions_.reserve(count);
  for (uint32_t i = 0; i < count; ++i) evictions_.emplace_back(member.view.eviction(i, rows_));
}

Shards::Lock::Lock(Shards& shards, uint32_t shard, Wait wait)
    : shard_(shards.member_.view.shard(shard)), slot_(shards.member_.holder.slot) {
  using Outcome = memory::RobustMutex::Outcome;
  const Outcome outcome = shards.member_.acquire(shard_.lock, wait);
  held_ = outcome != Outcome::busy;
  if (outcome != Outcome::owner_died) return;
  if (shard_.changing.load() != 0) shards.repair(shard);
  shard_.changing.store(0);
  shard_.lock.repaired();
}

void Shards::Lock::change() {
  shard_.changed_by.store(slot_, kRelaxed);
  shard_.changing.store(1);
  step("shard: change begins");
}

Shards::Lock::~Lock() {
  if (!held_) return;
  if (shard_.changing.load(kRelaxed) != 0) {
    step("shard: change is done");
    shard_.changing.store(0);
  }
  shard_.lock.release();
}

ObjectIndex Shards::find(const IndexPlace& place, const KeyHash& hash, std::string_view key) const {
  ObjectIndex found = kNoObject;
  index_.candidates(place, [&](ObjectIndex index) {
    const Object& object = member_.view.object(index);
    const Life life = Life::of(object.life.load());
    if (life.is_gone() || object.hash != hash || member_.view.head_of(object)->key() != key) return false;
    found = index;
    return true;
  });
  return found;
}

ObjectIndex Shards::take_row(uint32_t shard) {
  Shard& it = member_.view.shard(shard);
  if (const ObjectIndex index = it.first_free; index != kNoObject) {
    it.first_free = member_.view.object(index).next.load(kRelaxed);
    step("row: taken");
    return index;
  }
  const uint32_t touched = it.touched.load(kRelaxed);
  if (touched == rows_) return kNoObject;
  it.touched.store(touched + 1);
  step("row: new");
  return row(shard, touched);
}

void Shards::give_row_back(ObjectIndex index) {
  Shard& it = member_.view.shard(member_.view.shard_of(index));
  member_.view.object(index).next.store(it.first_free, kRelaxed);
  it.first_free = index;
}

void Shards::open(ObjectIndex index, const KeyHash& hash, BlockRef head) {
  Object& object = member_.view.object(index);
  const Life before = Life::of(object.life.load());
  object.hash = hash;
  object.head.store(head);
  object.chain.store(0);
  for (auto& one : object.direct) one.store(0);
  object.marks.store(0, kRelaxed);
  object.keep_until.store(0, kRelaxed);
  object.length.store(kUnknownLength, kRelaxed);
  object.filled.store(0, kRelaxed);
  object.filler.store(member_.holder.word());
  object.waiters.store(0);
  object.eviction.forget();
  for (auto& one : object.retired) one.store(0);
  object.rest.store(0, kRelaxed);
  step("open: prepared");
  member_.view.shard(member_.view.shard_of(index)).entering.store(index);
  object.life.store(Life{.state = State::opening, .generation = before.generation}.word());
  step("open: opening");
}

// `old` leaves the group that the other enters: a repair looks at that in any case.
void Shards::link(const IndexPlace& place, ObjectIndex index, ObjectIndex old) {
  Shard& shard = member_.view.shard(place.shard);
  const bool there = old != kNoObject;
  if (there) {
    change_life(member_.view.object(old), [](Life life) {
      life.dead = true;
      ++life.generation;
      return life;
    });
    step("link: old is dead");
    leave_eviction(old);
    to_limbo(old);
  }
  if (!there || !index_.replace(place, old, index)) {
    while (!index_.insert(place, index)) kill(index_.any_of(place));
  }
  step("link: in the index");
  if (!there) shard.objects.fetch_add(1, kRelaxed);
  note_weight(place.shard);
}

void Shards::kill(ObjectIndex index) {
  Object& object = member_.view.object(index);
  if (Life::of(object.life.load()).dead) return;
  const IndexPlace place = IndexPlace::of(member_.view.geometry(), object.hash);
  member_.view.shard(place.shard).leaving.store(index);
  change_life(object, [](Life life) {
    life.dead = true;
    ++life.generation;
    return life;
  });
  step("kill: dead");
  index_.remove(place, index);
  leave_eviction(index);
  step("kill: out of the queues");
  to_limbo(index);
  member_.view.shard(place.shard).objects.fetch_sub(1, kRelaxed);
  note_weight(place.shard);
}

void Shards::leave_eviction(ObjectIndex index) {
  const uint32_t shard = member_.view.shard_of(index);
  Object& object = member_.view.object(index);
  if ((object.marks.load(kRelaxed) & kLarge) != 0) {
    object.marks.fetch_and(~kLarge, kRelaxed);
    member_.view.shard(shard).large.fetch_sub(object.eviction.weight, kRelaxed);
  }
  evictions_[shard].remove(index % rows_);
}

void Shards::to_limbo(ObjectIndex index) { append(member_.view.shard(member_.view.shard_of(index)).newly_dead, index); }

// What is pinned waits in a list of its own, so that what can be freed is not looked at behind it.
void Shards::to_waiting(ObjectIndex index) { append(member_.view.shard(member_.view.shard_of(index)).waiting, index); }

// Either list of those in limbo. Nothing when it is in one.
void Shards::append(RowList& list, ObjectIndex index) {
  Object& object = member_.view.object(index);
  if ((object.marks.load(kRelaxed) & kInLimbo) != 0) return;
  object.marks.fetch_or(kInLimbo, kRelaxed);
  object.next.store(kNoObject, kRelaxed);
  step("limbo: marked");
  if (list.last == kNoObject) {
    list.first = index;
  } else {
    member_.view.object(list.last).next.store(index, kRelaxed);
  }
  step("limbo: linked");
  list.last = index;
  member_.view.shard(member_.view.shard_of(index)).limbo.fetch_add(1, kRelaxed);
}

bool Shards::replace_head(ObjectIndex index, BlockRef head) {
  Object& object = member_.view.object(index);
  const BlockRef old = object.head.load();
  for (auto& retired : object.retired) {
    if (retired.load() != 0) continue;
    retired.store(old);
    step("head: old is retired");
    object.head.store(head);
    step("head: new");
    pool_.settle(head, index);
    step("head: settled");
    if (object.eviction.place.load(kRelaxed) != Place::none) {
      weigh_again(index, object.eviction.weight + member_.view.block_size(head) - member_.view.block_size(old));
      note_weight(member_.view.shard_of(index));
    }
    to_limbo(index);
    return true;
  }
  return false;
}

void Shards::weigh_again(ObjectIndex index, uint64_t octets) {
  const uint32_t shard = member_.view.shard_of(index);
  const Object& object = member_.view.object(index);
  const uint64_t more = octets - object.eviction.weight;   // or less: it wraps, as the sum does
  if ((object.marks.load(kRelaxed) & kLarge) != 0) member_.view.shard(shard).large.fetch_add(more, kRelaxed);
  evictions_[shard].weight_changed(index % rows_, octets);
}

void Shards::note_weight(uint32_t shard) {
  member_.view.shard(shard).weight.store(evictions_[shard].weight(), kRelaxed);
}

uint64_t Shards::weigh_content(ObjectIndex index) const {
  const Object& object = member_.view.object(index);
  uint64_t octets = 0;
  Extents(member_.view, object).each([&](BlockRef block) {
    octets += member_.view.block_size(block);
    return false;
  });
  return octets;
}

// A row for the next: what waits in limbo has one soon.
bool Shards::has_row(uint32_t shard) const {
  const Shard& it = member_.view.shard(shard);
  return it.first_free != kNoObject || it.touched.load(kRelaxed) != rows_ || it.limbo.load(kRelaxed) != 0;
}

// A pass is a promise to those who wait for it. It weighs one block and enters unjudged; the small queue ends it soon
// enough.
void Shards::admit(ObjectIndex index, uint64_t content) {
  const uint32_t shard = member_.view.shard_of(index);
  Object& object = member_.view.object(index);
  const Life life = Life::of(object.life.load());
  if (object.eviction.place.load(kRelaxed) != Place::none || life.dead) return;
  const uint64_t octets = content + member_.view.block_size(object.head.load());
  const bool row_free = has_row(shard);
  Eviction& eviction = evictions_[shard];
  eviction.set_capacity(capacity_.with(shard, octets, octets));
  const bool is_pass = life.state == State::pass;
  const Admission admission =
      is_pass ? Admission{Verdict::enters, Place::small} : eviction.admit(object.hash.low, octets, row_free);
  step("admit: judged");
  if (admission.verdict != Verdict::enters) {
    kill(index);
    count(member_.tally().refused);
    return;
  }
  for (uint32_t i = 0; i < (is_pass ? 1 : kMostEvicted); ++i) {
    const bool must_leave = !eviction.fits(octets) || (i == 0 && !row_free);
    if (!must_leave || !evict_one(shard)) break;
  }
  eviction.insert(index % rows_, object.hash.low, octets, admission.place);
  step("admit: inserted");
  if (octets > capacity_.large_limit()) {
    object.marks.fetch_or(kLarge, kRelaxed);
    member_.view.shard(shard).large.fetch_add(octets, kRelaxed);
  }
  note_weight(shard);
}

bool Shards::evict_one(uint32_t shard) {
  const auto victim = evictions_[shard].victim();
  if (!victim) return false;
  step("evict: chosen");
  const ObjectIndex index = row(shard, *victim);
  if ((member_.view.object(index).marks.load(kRelaxed) & kLarge) != 0)
    leave_eviction(index);   // without a ghost
  else
    evictions_[shard].evict(*victim);
  step("evict: out of the queues");
  kill(index);
  count(member_.tally().evicted);
  return true;
}

}   // namespace proxyd::cache
