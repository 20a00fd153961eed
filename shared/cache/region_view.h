#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/base/result.h"
#include "shared/cache/eviction.h"
#include "shared/cache/layout.h"
#include "shared/memory/region.h"

namespace proxyd::cache {

struct HeadBlock;

// How many of what a region of a given ceiling has, and where: a pure function of the ceiling, so that whoever adopts a
// region of the same layout hash and size computes the same.
struct Geometry {
  uint64_t ceiling = 0;
  uint32_t segment_size = 0;   // 128 KiB to 2 MiB
  uint32_t segment_count = 0;
  uint32_t shard_count = 0;     // power of two
  uint32_t shard_objects = 0;   // rows of each
  uint32_t shard_groups = 0;    // of eight buckets
  uint32_t stamp_count = 0;     // power of two
  uint64_t slots_at = 0;
  uint64_t bans_at = 0;
  uint64_t stamps_at = 0;
  uint64_t shards_at = 0;
  uint64_t buckets_at = 0;
  uint64_t eviction_at = 0;
  uint64_t eviction_size = 0;   // of each shard
  size_t ghost_words = 0;
  size_t frequency_words = 0;
  uint64_t segments_at = 0;
  uint64_t segment_stride = 0;
  uint64_t objects_at = 0;
  uint64_t content_at = 0;
  uint64_t size = 0;    // of the whole region
  uint64_t fixed = 0;   // octets counted as used from the start

  static constexpr uint64_t kLeastCeiling = 8u << 20;
  static constexpr uint64_t kMostCeiling = uint64_t{1} << 40;
  static std::optional<Geometry> of(uint64_t ceiling);
};

// The region as typed rows: addresses computed from offsets, no rights, no state. Copied freely; any process; lives no
// longer than the mapping.
class RegionView {
 public:
  RegionView(std::byte* data, const Geometry& geometry) : data_(data), geometry_(geometry) {}

  const Geometry& geometry() const { return geometry_; }
  Superblock& superblock() const { return *at<Superblock>(0); }
  WorkerSlot& slot(uint32_t number) const { return at<WorkerSlot>(geometry_.slots_at)[number]; }
  std::atomic<uint32_t>& pins_used(uint32_t slot) const { return superblock().pins_used[slot]; }
  BanTable& bans() const { return *at<BanTable>(geometry_.bans_at); }
  Stamp& stamp(uint32_t index) const { return at<Stamp>(geometry_.stamps_at)[index]; }
  Shard& shard(uint32_t number) const { return at<Shard>(geometry_.shards_at)[number]; }
  // The first of the eight buckets of a group.
  Bucket* group(uint32_t shard, uint32_t number) const {
    return at<Bucket>(geometry_.buckets_at) + (uint64_t{shard} * geometry_.shard_groups + number) * kBucketsInGroup;
  }
  // What a shard's eviction works on, and how many of its rows (from the first) it may look at.
  EvictionMemory eviction(uint32_t shard, uint32_t rows) const;
  Segment& segment(uint32_t number) const {
    return *at<Segment>(geometry_.segments_at + number * geometry_.segment_stride);
  }
  Object& object(ObjectIndex index) const { return at<Object>(geometry_.objects_at)[index]; }
  uint32_t shard_of(ObjectIndex index) const { return index / geometry_.shard_objects; }
  uint32_t object_count() const { return geometry_.shard_count * geometry_.shard_objects; }
  std::byte* block(BlockRef ref) const { return data_ + geometry_.content_at + uint64_t{ref - 1} * kGranule; }
  HeadBlock* head(BlockRef ref) const { return reinterpret_cast<HeadBlock*>(block(ref)); }
  // The one that the object has now; what lies there may be read under a pin or the shard's lock only.
  HeadBlock* head_of(const Object& object) const { return head(object.head.load()); }
  uint32_t segment_of(BlockRef ref) const { return (ref - 1) / (geometry_.segment_size / kGranule); }
  BlockRef first_block(uint32_t segment) const { return segment * (geometry_.segment_size / kGranule) + 1; }
  std::byte* segment_content(uint32_t number) const {
    return data_ + geometry_.content_at + uint64_t{number} * geometry_.segment_size;
  }
  // Octets of the block, by what its segment is cut for; 0 for a segment that is free.
  uint32_t block_size(BlockRef ref) const {
    return size_of_cut(segment(segment_of(ref)).cut.load(std::memory_order_relaxed));
  }
  uint32_t size_of_cut(uint32_t cut) const {
    if (cut == 0) return 0;
    return cut > kSizeClasses ? geometry_.segment_size : kClassGranules[cut - 1] * kGranule;
  }
  // A worker of this incarnation has the slot: it lives, or is not known to have died.
  bool alive(uint64_t holder) const {
    const Holder who = Holder::of(holder);
    return !who.is_nobody() && slot(who.slot).incarnation.load() == who.incarnation;
  }

 private:
  template <class T>
  T* at(uint64_t offset) const {
    return reinterpret_cast<T*>(data_ + offset);
  }
  std::byte* data_;
  Geometry geometry_;
};

// Sizes and places of every shared struct and the versions of the formats in it: two builds that disagree about one of
// them do not share a region.
uint64_t layout_hash();

// A new, empty cache: locks made, secrets drawn. `ceiling`: octets, 8 MiB to 1 TiB; pages come with use. The master.
Result<memory::Region> create_region(uint64_t ceiling);
// Takes a descriptor that was inherited or received; refuses another layout or ceiling. Any process.
Result<memory::Region> adopt_region(UniqueFd descriptor, uint64_t ceiling);

// The view of a region of this module. The region must outlive it.
RegionView view_of(const memory::Region& region);

}   // namespace proxyd::cache
