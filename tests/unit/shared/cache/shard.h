#pragma once

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "shared/cache/eviction.h"

namespace proxyd::cache {

// One shard's eviction in memory of its own, and what can be seen of it from outside.
struct Shard {
  Shard(uint64_t capacity, uint32_t rows)
      : entries(rows), ghosts(Ghosts::words(rows)), frequencies(Frequency::words(rows)) {
    eviction.reset(capacity);
  }
  Shard(const Shard&) = delete;

  EvictionState state{};
  std::vector<EvictionEntry> entries;
  std::vector<uint64_t> ghosts;
  std::vector<std::atomic<uint64_t>> frequencies;
  Eviction eviction{{&state, EntryRows(entries.data(), sizeof(EvictionEntry), static_cast<uint32_t>(entries.size())),
                     ghosts, frequencies}};

  void request(uint64_t hash, int times = 1) {
    for (int at = 0; at < times; ++at) eviction.note_request(hash);
  }
  // Counts stay as they are until the next object enters.
  void stop_aging() { state.frequency.stripe_after = UINT32_MAX; }
  // As the cache stores: what must leave leaves, oldest first.
  std::vector<uint32_t> make_room(uint64_t weight) {
    std::vector<uint32_t> left;
    while (!eviction.fits(weight)) {
      const auto victim = eviction.victim();
      if (!victim) break;
      left.push_back(*victim);
      eviction.evict(*victim);
    }
    return left;
  }
  std::vector<uint32_t> in(Place place) const {
    std::vector<uint32_t> found;
    const QueueState& queue = place == Place::small ? state.small : state.main;
    for (uint32_t at = queue.oldest; at < entries.size() && found.size() <= entries.size(); at = entries[at].newer)
      found.push_back(at);
    return found;
  }
  // Empty, or what is wrong with a queue: its links, weight and count against the entries that say they are in it.
  std::string fault(Place place) const {
    const QueueState& queue = place == Place::small ? state.small : state.main;
    uint64_t weight = 0;
    uint32_t count = 0;
    for (const EvictionEntry& entry : entries)
      if (entry.place == place) {
        weight += entry.weight;
        ++count;
      }
    if (weight != queue.weight) return "weight " + std::to_string(queue.weight) + " not " + std::to_string(weight);
    if (count != queue.count) return "count " + std::to_string(queue.count) + " not " + std::to_string(count);
    uint32_t older = kNoEntry;
    uint32_t linked = 0;
    for (uint32_t at = queue.oldest; at != kNoEntry; at = entries[at].newer, ++linked) {
      if (at >= entries.size() || entries[at].place != place) return "a link to " + std::to_string(at);
      if (entries[at].older != older || linked == count) return "a wrong link at " + std::to_string(at);
      older = at;
    }
    if (linked != count) return "links " + std::to_string(linked) + " of " + std::to_string(count);
    return queue.newest == older ? "" : "another newest";
  }
  std::string fault() const { return fault(Place::small) + fault(Place::main); }
};

// Gives it a history of so many requests: both queues, ghosts, counts.
inline void live(Shard& shard, uint64_t seed, uint32_t requests) {
  std::mt19937_64 random(seed);
  for (uint32_t at = 0; at < requests; ++at) {
    const uint64_t hash = random() % 60;
    const auto row = static_cast<uint32_t>(random() % shard.entries.size());
    shard.request(hash);
    if (shard.entries[row].place != Place::none) {
      shard.eviction.hit(row);
      continue;
    }
    const Admission admission = shard.eviction.admit(hash, 20 + hash);
    if (admission.verdict != Verdict::enters) continue;
    shard.make_room(20 + hash);
    shard.eviction.insert(row, hash, 20 + hash, admission.place);
  }
}

}   // namespace proxyd::cache
