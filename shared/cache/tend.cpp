#include <algorithm>

#include "shared/cache/cache.h"
#include "shared/cache/step.h"

// Housekeeping in small pieces: whoever has a loop pass does a little of it for all.
namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kSweptRows = 8;
constexpr uint32_t kEvictedAtOnce = 16;
constexpr uint32_t kMostFromSegment = 512;
constexpr uint32_t kRounds = 4;
constexpr int64_t kPause = 5;   // ms

}   // namespace

bool Cache::tend(int64_t now) {
  settle_claims_of(member_.holder.slot);   // of old heads that could not be freed because a lock was busy
  const bool freeing = !shards_.finish_freeing(member_.holder.slot, member_.holder);
  const bool looks = now >= pause_until_;
  const bool freed = looks && reclaim_somewhere();
  // When the limit has sunk, whole segments are emptied first: to evict first would only leave all of them sparse.
  const bool segments_above = pool_.used_segments() > pool_.allowed_segments();
  // What was evicted is in use until it is freed: to evict for that again, before it was tried, would empty the cache.
  const bool above = looks && !freed && !segments_above && keep_within_capacity();
  if (looks && !freed && !above) {
    // Nothing is left to free, or all of it is pinned: look again later, and meanwhile empty one segment at most.
    pause_until_ = now + kPause;
    if (segments_above && !pool_.drop_empty_segments()) empty_sparsest();
  }
  sweep(kSweptRows, now);
  return freeing || freed || above;
}

bool Cache::reclaim_somewhere() {
  const uint32_t count = member_.view.geometry().shard_count;
  for (uint32_t i = 0; i < count; ++i) {
    tended_ = (tended_ + 1) % count;
    if (member_.view.shard(tended_).limbo.load(kRelaxed) != 0 && shards_.reclaim(tended_) != 0) return true;
  }
  return false;
}

bool Cache::keep_within_capacity() {
  tended_ = (tended_ + 1) % member_.view.geometry().shard_count;
  if (member_.view.shard(tended_).weight.load(kRelaxed) <= shards_.capacity(tended_)) return false;
  evict(tended_, kEvictedAtOnce);
  return true;
}

void Cache::empty_sparsest() {
  const uint32_t sparsest = pool_.sparsest_segment(tended_);
  if (sparsest != ContentPool::kNone) empty_segment(sparsest);
}

void Cache::evict(uint32_t shard, uint32_t at_most) {
  Shards::Lock lock(shards_, shard);
  if (!lock) return;
  lock.change();
  Eviction& eviction = shards_.eviction(shard);
  eviction.set_capacity(shards_.capacity(shard));
  for (uint32_t i = 0; i < at_most && !eviction.fits(0); ++i) {
    if (!shards_.evict_one(shard)) return;
  }
}

// For a fill that found no block: free what is dead, then what the eviction thinks least of, then a whole segment whose
// class has more room than it needs.
bool Cache::make_room(uint32_t shard, uint32_t attempt) {
  if (attempt >= kRounds) return false;
  if (pool_.drop_empty_segments()) return true;
  const uint32_t count = member_.view.geometry().shard_count;
  uint32_t freed = 0;
  for (uint32_t i = 0; i < count && freed == 0; ++i) freed = shards_.reclaim((shard + i) % count);
  if (freed != 0 && attempt == 0) return true;
  for (uint32_t i = 0; i < count && freed == 0; ++i) {
    const uint32_t other = (shard + i) % count;
    if (member_.view.shard(other).weight.load(kRelaxed) <= shards_.capacity(other)) continue;
    evict(other, kEvictedAtOnce);
    freed = shards_.reclaim(other);
  }
  if (freed != 0 && attempt == 0) return true;
  const uint32_t sparsest = pool_.sparsest_segment(tended_++ * 61 + attempt * 17);
  tended_ %= count;
  if (sparsest != ContentPool::kNone && empty_segment(sparsest)) {
    uint32_t batches = kMostFromSegment / kReclaimBatch;
    for (uint32_t i = 0; i < count && batches != 0; ++i) {
      while (batches != 0 && shards_.reclaim(i) != 0) --batches;
    }
    return true;
  }
  Shards::Lock lock(shards_, shard);   // nothing is sparse: the least wanted of this shard
  if (!lock) return false;
  lock.change();
  bool evicted = false;
  for (uint32_t i = 0; i < kEvictedAtOnce && shards_.evict_one(shard); ++i) evicted = true;
  return evicted;
}

// Kills the complete objects that have blocks in it. Their memory comes back with the segment when nobody pins them.
bool Cache::empty_segment(uint32_t number) {
  const Segment& segment = member_.view.segment(number);
  const uint32_t cut = segment.cut.load();
  if (cut == 0 || cut > kSizeClasses) return false;
  const uint32_t blocks = member_.view.geometry().segment_size / (kClassGranules[cut - 1] * kGranule);
  uint32_t killed = 0;
  for (uint32_t place = 0; place < blocks && killed < kMostFromSegment; ++place) {
    const uint32_t owner = segment.owner[place].load(kRelaxed);
    if (owner == 0) continue;
    const ObjectIndex index = owner - 1;
    const Object& object = member_.view.object(index);
    if (Life::of(object.life.load()).state != State::complete) continue;
    Shards::Lock lock(shards_, member_.view.shard_of(index));
    const Life life = Life::of(object.life.load());
    if (!lock || life.dead || life.state != State::complete || segment.owner[place].load() != owner) continue;
    lock.change();
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
    if (swept_to_ == 0) {
      swept_ = sweeping_;
      sweeping_ = published();
    }
    const uint32_t shard = member_.view.shard_of(swept_to_);
    if (swept_to_ % shard_rows < member_.view.shard(shard).touched.load(kRelaxed)) {
      sweep_row(swept_to_++, now);
    } else {
      swept_to_ = (shard + 1) * shard_rows;
    }
    if (swept_to_ >= member_.view.object_count()) swept_to_ = 0;
  }
}

// What a look without lock finds wrong is done under the lock, if it is still so. What lies behind the row is read
// under a pin only.
void Cache::sweep_row(ObjectIndex index, int64_t now) {
  Object& object = member_.view.object(index);
  const Life life = Life::of(object.life.load());
  if (life.dead || life.state == State::free || life.state == State::freeing) return;
  const bool filling = life.state == State::opening || life.state == State::filling;
  const int64_t keep_until = object.keep_until.load(kRelaxed);
  const bool expired = !filling && keep_until != 0 && keep_until < now;
  const bool orphaned = filling && !member_.view.alive(object.filler.load()) && !pinned_by_others(index, kSlots);
  const bool kept = life.state == State::complete || life.state == State::pass;
  const bool lost = kept && !expired && object.eviction.place.load(kRelaxed) == Place::none;
  bool hard_purged = false;
  uint64_t octets = 0;
  if (lost || (life.state == State::complete && !expired && swept_ < published())) {
    const uint32_t entry = pins_.pin(index);
    if (entry == Pins::kNone) return;
    const StoredResponse response(this, index, entry, nullptr);
    if (object.life.load() != life.word()) return;
    hard_purged = life.state == State::complete && response.purged(published()) == Purged::hard;
    octets = shards_.weigh(index);
  }
  if (!expired && !orphaned && !hard_purged && !lost && life.state != State::aborted) return;
  Shards::Lock lock(shards_, member_.view.shard_of(index));
  if (!lock || object.life.load() != life.word()) return;
  if (orphaned && member_.view.alive(object.filler.load())) return;
  if (object.keep_until.load(kRelaxed) != keep_until) return;   // freshened meanwhile
  lock.change();
  if (lost && !hard_purged) {
    shards_.admit(index, octets);
    return;
  }
  shards_.kill(index);
  if (expired) count(member_.tally().expired);
  if (hard_purged) count(member_.tally().purged);
}

bool Cache::pinned_by_others(ObjectIndex index, uint32_t but) const {
  for (uint32_t slot = 0; slot < kSlots; ++slot) {
    const WorkerSlot& worker = member_.view.slot(slot);
    const uint32_t used = slot == but ? 0 : worker.pins_used.load();
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
