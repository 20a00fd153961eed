#include "shared/cache/accounts.h"

namespace proxyd::cache {

Accounts accounts_of(const RegionView& view) {
  const auto value = [](const auto& word) { return word.load(std::memory_order_relaxed); };
  const Superblock& superblock = view.superblock();
  const Tally& tally = superblock.tally;
  Accounts sums;
  sums.memory_limit = value(superblock.memory_limit);
  sums.fixed = view.geometry().fixed;
  sums.published = value(superblock.published);
  for (uint32_t i = 0; i < view.geometry().shard_count; ++i) {
    const Shard& shard = view.shard(i);
    sums.objects += value(shard.objects);
    sums.limbo += value(shard.limbo);
    sums.stored += value(shard.weight);
    sums.rows += uint64_t{value(shard.touched)} * sizeof(Object);
  }
  sums.segments = uint64_t{value(superblock.pool.used)} * view.geometry().segment_size;
  sums.used = uint64_t{value(superblock.pool.whole)} * view.geometry().segment_size;
  for (uint32_t i = 0; i < kSizeClasses; ++i) {
    sums.used += value(superblock.classes[i].used_blocks) * kClassGranules[i] * kGranule;
  }
  sums.evicted = value(tally.evicted);
  sums.expired = value(tally.expired);
  sums.purged = value(tally.purged);
  sums.refused = value(tally.refused);
  sums.no_room = value(tally.no_room);
  sums.pins_full = value(tally.pins_full);
  sums.lock_busy = value(tally.lock_busy);
  sums.taken_over = value(tally.taken_over);
  sums.shard_repairs = value(tally.shard_repairs);
  sums.class_repairs = value(tally.class_repairs);
  sums.emptied_segments = value(tally.emptied_segments);
  return sums;
}

}   // namespace proxyd::cache
