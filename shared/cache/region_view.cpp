#include "shared/cache/region_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <initializer_list>
#include <new>

#include "shared/base/digest.h"
#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"

namespace proxyd::cache {
namespace {

constexpr uint64_t kMagic = 0x6568'6361'6378'7270;
// Of keys, stored field sections, stamp hashes, and what words mean that keep their place; raise when one changes.
constexpr uint64_t kFormats = 4;
constexpr uint64_t kBytesForEachObject = 1024;   // rows are plenty and cost nothing untouched
constexpr uint32_t kMostObjects = 1u << 27;
constexpr uint64_t kLeastShard = 64u << 20;   // a thousand objects of 64 KiB
constexpr uint64_t kHeaderPage = 4096;        // the region's own page before its data

uint64_t rounded(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

struct Mixture {
  uint64_t hash = kMagic;
  void add(std::initializer_list<uint64_t> values) {
    for (const uint64_t value : values) hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15 + (hash >> 29);
  }
};

// Rows, and what they list.
void add_content(Mixture& all) {
  all.add({sizeof(Segment), offsetof(Segment, free_blocks), offsetof(Segment, ready), offsetof(Segment, listed),
           offsetof(Segment, next), offsetof(Segment, previous), offsetof(Segment, pages), offsetof(Segment, free_map),
           offsetof(Segment, owner), sizeof(SizeClass), offsetof(SizeClass, intent), offsetof(SizeClass, used_blocks),
           offsetof(SizeClass, segments), offsetof(SizeClass, first)});
  all.add({sizeof(SegmentPool), offsetof(SegmentPool, intent), offsetof(SegmentPool, used),
           offsetof(SegmentPool, whole), offsetof(SegmentPool, touched), offsetof(SegmentPool, first_with_pages),
           offsetof(SegmentPool, first_without)});
  all.add({sizeof(Object), offsetof(Object, hash), offsetof(Object, life), offsetof(Object, head),
           offsetof(Object, chain), offsetof(Object, direct), offsetof(Object, marks), offsetof(Object, keep_until),
           offsetof(Object, length), offsetof(Object, filled), offsetof(Object, filler), offsetof(Object, waiters),
           offsetof(Object, eviction), offsetof(Object, retired), offsetof(Object, next), offsetof(Object, rest)});
  all.add({sizeof(HeadBlock), offsetof(HeadBlock, checked), offsetof(HeadBlock, bans_seen),
           offsetof(HeadBlock, key_size), offsetof(HeadBlock, stamp_count), offsetof(HeadBlock, metadata_size),
           offsetof(HeadBlock, section_size), offsetof(HeadBlock, room), offsetof(HeadBlock, complete),
           offsetof(HeadBlock, banned), sizeof(ExtentBlock), offsetof(ExtentBlock, extents)});
}

}   // namespace

std::optional<Geometry> Geometry::of(uint64_t ceiling) {
  if (ceiling < kLeastCeiling || ceiling > kMostCeiling) return std::nullopt;
  Geometry g;
  g.ceiling = ceiling;
  g.segment_size =
      static_cast<uint32_t>(std::clamp<uint64_t>(std::bit_floor(ceiling / 64), 128u << 10, kLargestSegment));
  g.segment_count = static_cast<uint32_t>(ceiling / g.segment_size);
  g.shard_count = static_cast<uint32_t>(std::clamp<uint64_t>(std::bit_floor(ceiling / kLeastShard), 1, kMostShards));
  const auto objects = static_cast<uint32_t>(std::min<uint64_t>(ceiling / kBytesForEachObject, kMostObjects));
  g.shard_objects = objects / g.shard_count;
  g.shard_groups = std::max(1u, g.shard_objects / (4 * kBucketsInGroup));
  g.stamp_count = static_cast<uint32_t>(std::clamp<uint64_t>(std::bit_ceil(ceiling / 4096), 1u << 16, 1u << 22));
  g.ghost_words = Ghosts::words(g.shard_objects);
  g.frequency_words = Frequency::words(g.shard_objects);
  g.eviction_size = rounded(sizeof(EvictionState) + (g.ghost_words + g.frequency_words) * sizeof(uint64_t), 64);
  g.slots_at = sizeof(Superblock);
  g.bans_at = rounded(g.slots_at + kSlots * sizeof(WorkerSlot), 4096);
  g.stamps_at = g.bans_at + sizeof(BanTable);
  g.shards_at = g.stamps_at + uint64_t{g.stamp_count} * sizeof(Stamp);
  g.buckets_at = g.shards_at + uint64_t{g.shard_count} * sizeof(Shard);
  const uint64_t buckets = uint64_t{g.shard_count} * g.shard_groups * kBucketsInGroup;
  g.eviction_at = rounded(g.buckets_at + buckets * sizeof(Bucket), 4096);
  g.segments_at = rounded(g.eviction_at + g.shard_count * g.eviction_size, 4096);
  const uint64_t owners = g.segment_size / (2 * kGranule) * sizeof(uint32_t);
  g.segment_stride = rounded(offsetof(Segment, owner) + owners, 64);
  g.objects_at = rounded(g.segments_at + g.segment_count * g.segment_stride, 4096);
  const uint64_t rows = uint64_t{g.shard_count} * g.shard_objects * sizeof(Object);
  g.content_at = rounded(kHeaderPage + g.objects_at + rows, g.segment_size) - kHeaderPage;
  g.size = g.content_at + uint64_t{g.segment_count} * g.segment_size;
  g.fixed = g.objects_at - g.stamps_at;
  return g;
}

uint64_t layout_hash() {
  Mixture all;
  all.add({kFormats, kBytesForEachObject, kLeastShard, kGranule, kLargestSegment, kSlots, kPins, kClaims, kReclaimBatch,
           kWaitNumbers, kMostShards, kSlotsInBucket, kBucketsInGroup, kMostBans});
  for (const uint32_t granules : kClassGranules) all.add({granules});
  all.add({sizeof(Superblock), offsetof(Superblock, published), offsetof(Superblock, purge_lock),
           offsetof(Superblock, purging), offsetof(Superblock, repair_lock), offsetof(Superblock, pool),
           offsetof(Superblock, classes), offsetof(Superblock, tally), offsetof(Superblock, pins_used), sizeof(Tally)});
  all.add({sizeof(WorkerSlot), offsetof(WorkerSlot, departed), offsetof(WorkerSlot, sleeping),
           offsetof(WorkerSlot, mailbox), offsetof(WorkerSlot, claims), offsetof(WorkerSlot, freeing),
           offsetof(WorkerSlot, pins)});
  all.add({sizeof(BanTable), offsetof(BanTable, words), offsetof(BanTable, bans), offsetof(Ban, kind),
           offsetof(Ban, host_count), offsetof(Ban, size), offsetof(Ban, hosts), offsetof(Ban, text), sizeof(Stamp)});
  all.add({sizeof(Shard), offsetof(Shard, changing), offsetof(Shard, touched), offsetof(Shard, objects),
           offsetof(Shard, limbo), offsetof(Shard, weight), offsetof(Shard, large), offsetof(Shard, changed_by),
           offsetof(Shard, reclaims), offsetof(Shard, first_free), offsetof(Shard, newly_dead),
           offsetof(Shard, waiting), offsetof(Shard, entering), offsetof(Shard, leaving), sizeof(Bucket),
           offsetof(Bucket, slots)});
  all.add({sizeof(EvictionState),
           offsetof(EvictionState, small),
           offsetof(EvictionState, main),
           offsetof(EvictionState, ghost_clock),
           offsetof(EvictionState, frequency),
           offsetof(EvictionState, journal),
           sizeof(QueueState),
           offsetof(QueueState, oldest),
           offsetof(QueueState, newest),
           offsetof(QueueState, count),
           sizeof(QueueChange),
           offsetof(QueueChange, place),
           offsetof(QueueChange, index),
           offsetof(QueueChange, newest),
           offsetof(QueueChange, count),
           offsetof(QueueChange, weight),
           offsetof(QueueChange, entry_weight),
           sizeof(QueueJournal),
           offsetof(QueueJournal, current),
           sizeof(EvictionEntry),
           offsetof(EvictionEntry, weight),
           offsetof(EvictionEntry, fingerprint),
           offsetof(EvictionEntry, uses),
           offsetof(EvictionEntry, place)});
  add_content(all);
  return all.hash;
}

Result<memory::Region> create_region(uint64_t ceiling) {
  const auto geometry = Geometry::of(ceiling);
  if (!geometry) {
    return Error{fmt::format("a cache of {} octets cannot be: cache_ceiling must lie between 8MiB and 1TiB", ceiling)};
  }
  auto region = memory::Region::create("cache", layout_hash(), geometry->size);
  if (!region) return region;
  const RegionView view(region->data(), *geometry);
  Superblock& superblock = view.superblock();
  superblock.magic = kMagic;
  superblock.ceiling = ceiling;
  superblock.memory_limit = ceiling;
  const auto draw = [](std::array<uint64_t, 2>& secret) {
    random_bytes(std::span(reinterpret_cast<uint8_t*>(secret.data()), sizeof secret));
  };
  draw(superblock.key_secret);
  draw(superblock.stamp_secret);
  superblock.purge_lock.create();
  superblock.repair_lock.create();
  superblock.pool.lock.create();
  for (SizeClass& one : superblock.classes) one.lock.create();
  for (uint32_t i = 0; i < geometry->shard_count; ++i) {
    Shard& shard = view.shard(i);
    shard.lock.create();
    shard.first_free = kNoObject;
    shard.newly_dead = shard.waiting = RowList{kNoObject, kNoObject};
    shard.entering = shard.leaving = kNoObject;
    EvictionState& eviction = *view.eviction(i, 0).state;   // as after a reset, but no page is touched
    eviction.small = eviction.main = QueueState{0, kNoEntry, kNoEntry, 0, 0};
    eviction.capacity = ceiling / geometry->shard_count;
  }
  return region;
}

Result<memory::Region> adopt_region(UniqueFd descriptor, uint64_t ceiling) {
  const auto geometry = Geometry::of(ceiling);
  if (!geometry) return Error{fmt::format("no cache region has a ceiling of {} octets", ceiling)};
  auto region = memory::Region::adopt(std::move(descriptor), "cache", layout_hash(), geometry->size);
  if (!region) return region;
  const auto& superblock = *reinterpret_cast<const Superblock*>(region->data());
  if (superblock.magic != kMagic || superblock.ceiling != ceiling)
    return Error{fmt::format("the cache region is damaged: it says that it has a ceiling of {} octets, not {}",
                             superblock.ceiling, ceiling)};
  return region;
}

EvictionMemory RegionView::eviction(uint32_t shard, uint32_t rows) const {
  std::byte* place = data_ + geometry_.eviction_at + shard * geometry_.eviction_size;
  auto* words = reinterpret_cast<uint64_t*>(place + sizeof(EvictionState));
  auto* frequencies = reinterpret_cast<std::atomic<uint64_t>*>(words + geometry_.ghost_words);
  return EvictionMemory{reinterpret_cast<EvictionState*>(place),
                        EntryRows(&object(shard * geometry_.shard_objects).eviction, sizeof(Object), rows),
                        {words, geometry_.ghost_words},
                        {frequencies, geometry_.frequency_words}};
}

RegionView view_of(const memory::Region& region) {
  const auto* superblock = reinterpret_cast<const Superblock*>(region.data());
  return RegionView(region.data(), *Geometry::of(superblock->ceiling));
}

}   // namespace proxyd::cache
