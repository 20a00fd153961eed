#include <algorithm>

#include "shared/cache/cache.h"
#include "shared/cache/step.h"

// Housekeeping in small pieces: whoever has a loop pass does a little of it for all.
namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kEvictedAtOnce = 16;
constexpr uint32_t kMostFromSegment = 512;
constexpr uint64_t kMostSegments = 2;   // octets of so many segments evicted or killed at once
// Hundredths of a segment that may be lost for one. Half: better for a block of any size than to evict at random sizes.
// Full: what a segment holds, and some more that goes with it.
constexpr uint64_t kHalf = 50;
constexpr uint64_t kFull = 200;
constexpr uint64_t kAnyLoss = ~uint64_t{0};
constexpr uint32_t kRounds = 4;
constexpr int64_t kPause = 5;   // ms

}   // namespace

bool Cache::tend(int64_t now) {
  settle_claims_of(member_.holder.slot, Wait::none);   // of old heads that could not be freed because a lock was busy
  const bool pauses = now < pause_until_;
  const bool freeing = !pauses && !shards_.finish_freeing(member_.holder.slot, member_.holder);
  const bool looks = !pauses && !freeing;
  bool more = false;
  if (freeing) pause_until_ = now + kPause;   // who holds the lock may need the processor for it
  if (looks) {
    const Freed freed = reclaim_from(tended_ + 1, 1);
    more = freed.rows != 0 || freed.more || shrink(freed.busy);
    if (!more) {   // nothing is left to free, or all of it is pinned or locked
      pause_until_ = now + kPause;
      busy_ = freed.busy;
    }
  }
  sweep(kRowsInTend, now);
  return more;
}

// When nothing that is dead could be freed; whether something was evicted. What was evicted is in use until it is
// freed: to evict for that again, before it was tried, would empty the cache. A shard whose lock is busy for a moment
// is waited for by all; when it is busy at the next look as well, what is too much leaves without it.
bool Cache::shrink(ShardSet busy) {
  if ((busy & ~busy_).any()) return false;
  const bool segments_above = pool_.used_segments() > pool_.allowed_segments();
  if (!segments_above || busy.any()) return keep_within_capacity(busy);
  // The limit has sunk: to evict first would only leave all segments sparse. One is emptied, which takes all shards,
  // and nothing more until it is known what that has freed.
  if (!pool_.drop_empty_segments()) empty_cheapest(kFull) || keep_within_capacity({}) || empty_cheapest(kAnyLoss);
  return false;
}

// At most so many batches, of one shard after the other. Waits for the first busy lock alone.
Cache::Freed Cache::reclaim_from(uint32_t first, uint32_t batches, Wait wait) {
  const uint32_t count = member_.view.geometry().shard_count;
  Freed freed;
  for (uint32_t i = 0; i < count; ++i) {
    tended_ = (first + i) % count;
    for (;;) {
      const Shards::Reclaimed reclaimed = shards_.reclaim(tended_, freed.busy.none() ? wait : Wait::none);
      freed.rows += reclaimed.rows;
      freed.more = reclaimed.more;
      freed.busy[tended_] = reclaimed.hindered;
      if (reclaimed.hindered || (reclaimed.rows == 0 && !reclaimed.more)) break;
      if (--batches == 0) return freed;
    }
  }
  return freed;
}

// Of all shards but these.
bool Cache::keep_within_capacity(ShardSet but) {
  for (auto fullest = shards_.capacity().fullest(but); fullest; fullest = shards_.capacity().fullest(but)) {
    if (evict(*fullest, true, Wait::none)) return true;
    but.set(*fullest);
  }
  return false;
}

// Some of the least wanted of a shard, while they are above its capacity or however many it has; whether there was one.
bool Cache::evict(uint32_t shard, bool above_alone, Wait wait) {
  Shards::Lock lock(shards_, shard, wait);
  if (!lock) return false;
  lock.change();
  Eviction& eviction = shards_.eviction(shard);
  eviction.set_capacity(shards_.capacity().of(shard));
  const uint64_t before = eviction.weight();
  const uint64_t enough = kMostSegments * member_.view.geometry().segment_size;
  for (uint32_t i = 0; i < kEvictedAtOnce && before - eviction.weight() < enough; ++i) {
    if (above_alone && eviction.fits(0)) return i != 0;
    if (!shards_.evict_one(shard)) return i != 0;
  }
  return true;
}

// The least wanted of this shard, or of the next that has any.
bool Cache::evict_from(uint32_t first) {
  const uint32_t count = member_.view.geometry().shard_count;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t shard = (first + i) % count;
    if (!evict(shard, false, i == 0 ? Wait::patiently : Wait::none)) continue;
    reclaim_from(shard, 1);
    return true;
  }
  return false;
}

// For a fill that found no block. First what costs nothing: empty segments, and what is dead. Then what is above its
// shard's capacity, then a segment that holds little, then what the eviction thinks least of, which comes in all sizes,
// then any segment. True: something was freed or killed, try again. Where nothing can be freed for a busy lock, to
// evict would only empty the cache.
bool Cache::make_room(uint32_t shard, uint32_t attempt) {
  if (attempt >= kRounds || pool_.hindered()) return false;
  if (!shards_.finish_freeing(member_.holder.slot, member_.holder)) {
    pool_.hinder();
    return false;
  }
  if (pool_.drop_empty_segments()) return true;
  const bool freed = reclaim_from(shard, 1, Wait::patiently).rows != 0;
  if (freed && attempt == 0) return true;
  if (attempt == 0 && keep_within_capacity({}) && reclaim_from(tended_, 1).rows != 0) return true;
  if (!empty_cheapest(kHalf) && !evict_from(shard) && !empty_cheapest(kAnyLoss)) return freed;
  reclaim_from(shard, kMostFromSegment / kReclaimBatch);
  return true;
}

// For a fill that found no row in its shard.
bool Cache::make_row(uint32_t shard, uint32_t attempt) {
  if (attempt >= kRounds) return false;
  const auto reclaim = [this, shard] { return shards_.reclaim(shard, Wait::patiently); };
  // Where another has the batch there are free rows soon.
  if (const auto reclaimed = reclaim(); reclaimed.hindered || reclaimed.rows != 0) return true;
  return evict(shard, false, Wait::patiently) && reclaim().rows != 0;
}

// Where it costs no more than so many hundredths of a segment. What is begun is gone on with: it is cheaper then.
bool Cache::empty_cheapest(uint64_t at_most) {
  const uint64_t segment_size = member_.view.geometry().segment_size;
  const ContentPool::Emptying cheapest = pool_.cheapest_to_empty(emptied_to_);
  if (cheapest.segment == ContentPool::kNone || cheapest.loss / (segment_size / 100) >= at_most) {
    emptied_to_ = cheapest.next;
    return false;
  }
  emptied_to_ = cheapest.segment;
  if (empty_segment(cheapest.segment)) return true;
  emptied_to_ = cheapest.next;
  return false;
}

// Kills the complete objects that have blocks in it, until that are many or much. Their memory comes back with the
// segment when nobody pins them.
bool Cache::empty_segment(uint32_t number) {
  const Segment& segment = member_.view.segment(number);
  const uint32_t cut = segment.cut.load();
  if (cut == 0 || cut > kSizeClasses) return false;
  const uint32_t segment_size = member_.view.geometry().segment_size;
  const uint32_t blocks = segment_size / (kClassGranules[cut - 1] * kGranule);
  uint32_t killed = 0;
  uint64_t octets = 0;
  for (uint32_t place = 0; place < blocks; ++place) {
    if (killed == kMostFromSegment || octets >= kMostSegments * segment_size) break;
    const uint32_t owner = segment.owner[place].load(kRelaxed);
    if (owner == 0) continue;
    const ObjectIndex index = owner - 1;
    const Object& object = member_.view.object(index);
    const auto can_go = [&object] {
      const Life life = Life::of(object.life.load());
      return !life.dead && (life.state == State::complete || life.state == State::pass);
    };
    if (!can_go()) continue;
    Shards::Lock lock(shards_, member_.view.shard_of(index), Wait::briefly);
    if (!lock) break;
    if (!can_go() || segment.owner[place].load() != owner) continue;
    lock.change();
    octets += object.eviction.weight;
    shards_.kill(index);
    ++killed;
  }
  if (killed == 0) return false;
  count(member_.tally().emptied_segments);
  count(member_.tally().evicted, killed);
  return true;
}

void Cache::sweep(uint32_t rows, int64_t now) {
  const uint32_t shard_rows = member_.view.geometry().shard_objects;
  for (uint32_t i = 0; i < rows; ++i) {
    if (!walking_) {
      walking_ = true;
      sweeping_ = published();
      skipped_ = false;
    }
    const uint32_t shard = member_.view.shard_of(swept_to_);
    if (swept_to_ % shard_rows < member_.view.shard(shard).touched.load(kRelaxed)) {
      if (!sweep_row(swept_to_, now)) return;
      ++swept_to_;
    } else {
      swept_to_ = (shard + 1) * shard_rows;
    }
    if (swept_to_ < member_.view.object_count()) continue;
    swept_to_ = 0;
    walking_ = false;
    if (!skipped_) swept_ = sweeping_;
  }
}

// Something is purged that a walk has passed by, maybe the present one.
void Cache::sweep_anew() {
  skipped_ = true;
  swept_ = 0;
}

// What a look without lock finds wrong is done under the lock, if it is still so. What lies behind the row is read
// under a pin only. False: the lock was busy, look again. For purges of what fills its filler looks
// at the end.
bool Cache::sweep_row(ObjectIndex index, int64_t now) {
  Object& object = member_.view.object(index);
  const Life life = Life::of(object.life.load());
  if (life.is_gone()) return true;
  const bool filling = life.state == State::opening || life.state == State::filling;
  const int64_t keep_until = object.keep_until.load(kRelaxed);
  const bool expired = !filling && keep_until != 0 && keep_until < now;
  const bool orphaned = filling && !member_.view.alive(object.filler.load()) && !pinned_by_others(index, kSlots);
  const bool kept = life.state == State::complete || life.state == State::pass;
  const bool lost = kept && !expired && object.eviction.place.load(kRelaxed) == Place::none;
  bool hard_purged = false;
  uint64_t content = 0;
  if (lost || (life.state == State::complete && !expired && swept_ < published())) {
    const uint32_t entry = pins_.pin(index);
    skipped_ = skipped_ || entry == Pins::kNone;
    if (entry == Pins::kNone) return true;
    const StoredResponse response(this, index, entry, nullptr);
    if (object.life.load() != life.word()) return true;
    hard_purged = life.state == State::complete && response.purged(published()) == Purged::hard;
    if (lost) content = shards_.weigh_content(index);
  }
  if (!expired && !orphaned && !hard_purged && !lost && life.state != State::aborted) return true;
  Shards::Lock lock(shards_, member_.view.shard_of(index), Wait::none);
  if (!lock) return false;
  if (object.life.load() != life.word()) return true;
  if (orphaned && member_.view.alive(object.filler.load())) return true;
  const bool freshened = object.keep_until.load(kRelaxed) != keep_until;
  skipped_ = skipped_ || freshened;
  if (freshened) return true;
  lock.change();
  if (lost && !hard_purged) {
    shards_.admit(index, content);
    return true;
  }
  shards_.kill(index);
  if (expired) count(member_.tally().expired);
  if (hard_purged) count(member_.tally().purged);
  return true;
}

bool Cache::pinned_by_others(ObjectIndex index, uint32_t but) const {
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const WorkerSlot& worker = member_.view.slot(slot);
    const uint32_t used = slot == but ? 0 : member_.view.pins_used(slot).load();
    for (uint32_t i = 0; i < used; ++i) {
      if (Pin::of(worker.pins[i].load()).index == index) return true;
    }
  }
  return false;
}

bool Cache::has_other_readers(const StoredResponse& response) const {
  return pins_.readers(response.index()) > 1 || pinned_by_others(response.index(), member_.holder.slot);
}

}   // namespace proxyd::cache
