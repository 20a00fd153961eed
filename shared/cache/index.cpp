#include "shared/cache/index.h"

#include "shared/cache/step.h"

namespace proxyd::cache {

bool Index::insert(const IndexPlace& place, ObjectIndex index) {
  Bucket* group = view_.group(place.shard, place.group);
  for (uint32_t i = 0; i < kBucketsInGroup; ++i) {
    for (auto& slot : group[(place.home + i) % kBucketsInGroup].slots) {
      if (slot.load(std::memory_order_relaxed) != 0) continue;
      if (i != 0) group[place.home].away.fetch_add(1);
      step("index: counted");
      slot.store(slot_of(place.tag, index));
      step("index: set");
      return true;
    }
  }
  return false;
}

std::atomic<uint64_t>* Index::find_slot(const IndexPlace& place, ObjectIndex index, uint32_t* bucket) const {
  const uint64_t wanted = slot_of(place.tag, index);
  Bucket* group = view_.group(place.shard, place.group);
  for (uint32_t i = 0; i < kBucketsInGroup; ++i) {
    for (auto& slot : group[(place.home + i) % kBucketsInGroup].slots) {
      if (slot.load(std::memory_order_relaxed) != wanted) continue;
      *bucket = i;
      return &slot;
    }
  }
  return nullptr;
}

bool Index::replace(const IndexPlace& place, ObjectIndex old, ObjectIndex index) {
  uint32_t bucket = 0;
  auto* slot = find_slot(place, old, &bucket);
  if (slot == nullptr) return false;
  slot->store(slot_of(place.tag, index));
  step("index: replaced");
  return true;
}

void Index::remove(const IndexPlace& place, ObjectIndex index) {
  uint32_t bucket = 0;
  auto* slot = find_slot(place, index, &bucket);
  if (slot == nullptr) return;
  slot->store(0);
  step("index: removed");
  if (bucket != 0) view_.group(place.shard, place.group)[place.home].away.fetch_sub(1);
}

ObjectIndex Index::any_of(const IndexPlace& place) const {
  Bucket* group = view_.group(place.shard, place.group);
  for (const auto& slot : group[place.home].slots) {
    if (const uint64_t word = slot.load(); word != 0) return index_in(word);
  }
  return kNoObject;
}

}   // namespace proxyd::cache
