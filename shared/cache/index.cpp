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

Index::Slot Index::slot_with(const IndexPlace& place, ObjectIndex index) const {
  const uint64_t wanted = slot_of(place.tag, index);
  Bucket* group = view_.group(place.shard, place.group);
  for (uint32_t i = 0; i < kBucketsInGroup; ++i) {
    for (auto& word : group[(place.home + i) % kBucketsInGroup].slots) {
      if (word.load(std::memory_order_relaxed) == wanted) return {&word, i != 0};
    }
  }
  return {};
}

bool Index::replace(const IndexPlace& place, ObjectIndex old, ObjectIndex index) {
  const Slot slot = slot_with(place, old);
  if (slot.word == nullptr) return false;
  slot.word->store(slot_of(place.tag, index));
  step("index: replaced");
  return true;
}

void Index::remove(const IndexPlace& place, ObjectIndex index) {
  const Slot slot = slot_with(place, index);
  if (slot.word == nullptr) return;
  slot.word->store(0);
  step("index: removed");
  if (slot.is_away) view_.group(place.shard, place.group)[place.home].away.fetch_sub(1);
}

ObjectIndex Index::any_of(const IndexPlace& place) const {
  Bucket* group = view_.group(place.shard, place.group);
  for (const auto& slot : group[place.home].slots) {
    if (const uint64_t word = slot.load(); word != 0) return index_in(word);
  }
  return kNoObject;
}

}   // namespace proxyd::cache
