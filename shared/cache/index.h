#pragma once

#include <cstdint>

#include "shared/cache/region_view.h"

namespace proxyd::cache {

// Where in the index a key hash belongs: a shard, a group of eight buckets, its home among them, and the tag of its
// slot.
struct IndexPlace {
  uint32_t shard = 0;
  uint32_t group = 0;
  uint32_t home = 0;
  uint32_t tag = 0;

  static IndexPlace of(const Geometry& geometry, const KeyHash& hash) {
    return IndexPlace{static_cast<uint32_t>(hash.high >> 40) & (geometry.shard_count - 1),
                      static_cast<uint32_t>(((hash.high & 0xffffffff) * geometry.shard_groups) >> 32),
                      static_cast<uint32_t>(hash.low) % kBucketsInGroup, static_cast<uint32_t>(hash.low >> 32)};
  }
};

// The buckets of one region. Searching takes no lock: each slot is one word, and what it names is only a candidate
// until it is pinned and compared. Changes are made under the shard's lock; killed between two of them, an entry is
// where it was or where it shall be, and `away` may be too high until the repair counts it. A view, any process.
class Index {
 public:
  explicit Index(const RegionView& view) : view_(view) {}

  // Calls `visit(index)` for each entry with the tag until it returns true.
  template <class Visit>
  void candidates(const IndexPlace& place, Visit visit) const {
    Bucket* group = view_.group(place.shard, place.group);
    if (in_bucket(group[place.home], place.tag, visit)) return;
    if (group[place.home].away.load(std::memory_order_acquire) == 0) return;
    for (uint32_t i = 1; i < kBucketsInGroup; ++i) {
      if (in_bucket(group[(place.home + i) % kBucketsInGroup], place.tag, visit)) return;
    }
  }

  // False: the group is full.
  bool insert(const IndexPlace& place, ObjectIndex index);
  bool replace(const IndexPlace& place, ObjectIndex old, ObjectIndex index);
  void remove(const IndexPlace& place, ObjectIndex index);
  // Any entry of the group, for whoever needs room in it; kNoObject: none.
  ObjectIndex any_of(const IndexPlace& place) const;
  // Of one group: drops what `stays(index)` denies and counts anew what lies away from its home.
  template <class Stays>
  void rebuild(const IndexPlace& place, Stays stays);

 private:
  static uint64_t slot_of(uint32_t tag, ObjectIndex index) { return uint64_t{tag} << 32 | (uint64_t{index} + 1); }
  static ObjectIndex index_in(uint64_t slot) { return static_cast<ObjectIndex>(slot) - 1; }
  template <class Visit>
  static bool in_bucket(const Bucket& bucket, uint32_t tag, Visit& visit) {
    for (const auto& one : bucket.slots) {
      const uint64_t slot = one.load(std::memory_order_acquire);
      if (slot >> 32 == tag && static_cast<uint32_t>(slot) != 0 && visit(index_in(slot))) return true;
    }
    return false;
  }
  struct Slot {
    std::atomic<uint64_t>* word = nullptr;   // none: it has no entry
    bool is_away = false;                    // from its home
  };
  Slot slot_with(const IndexPlace& place, ObjectIndex index) const;

  RegionView view_;
};

template <class Stays>
void Index::rebuild(const IndexPlace& place, Stays stays) {
  Bucket* group = view_.group(place.shard, place.group);
  std::array<uint64_t, kBucketsInGroup> away{};
  for (uint32_t i = 0; i < kBucketsInGroup; ++i) {
    for (auto& one : group[i].slots) {
      const uint64_t slot = one.load();
      if (slot == 0) continue;
      const ObjectIndex index = index_in(slot);
      if (!stays(index)) {
        one.store(0);
        continue;
      }
      const uint32_t home = IndexPlace::of(view_.geometry(), view_.object(index).hash).home;
      if (home != i) ++away[home];
    }
  }
  for (uint32_t i = 0; i < kBucketsInGroup; ++i) group[i].away.store(away[i]);
}

}   // namespace proxyd::cache
