#include "shared/cache/eviction_queue.h"

#include "shared/cache/frequency.h"

namespace proxyd::cache {

void EvictionEntry::use() {
  const uint8_t used = uses.load(std::memory_order_relaxed);
  if (used < kMostUses) uses.store(used + 1, std::memory_order_relaxed);
}

void EvictionEntry::describe(uint64_t hash, uint64_t octets, Place where) {
  weight = octets;
  fingerprint = fingerprint_of(hash);
  uses.store(0, std::memory_order_relaxed);
  place.store(where, std::memory_order_release);
}

void EvictionQueue::link(Chain chain) {
  rows_[chain.newest].newer = kNoEntry;
  rows_[chain.oldest].older = state_.newest;
  if (state_.newest == kNoEntry)
    state_.oldest = chain.oldest;
  else
    rows_[state_.newest].newer = chain.oldest;
  state_.newest = chain.newest;
}

void EvictionQueue::add(uint32_t index) {
  link({index, index});
  state_.weight += rows_[index].weight;
  ++state_.count;
}

void EvictionQueue::unlink(uint32_t index) {
  const EvictionEntry& entry = rows_[index];
  if (entry.older == kNoEntry)
    state_.oldest = entry.newer;
  else
    rows_[entry.older].newer = entry.newer;
  if (entry.newer == kNoEntry)
    state_.newest = entry.older;
  else
    rows_[entry.newer].older = entry.older;
  state_.weight -= entry.weight;
  --state_.count;
}

void EvictionQueue::reweigh(uint32_t index, uint64_t weight) {
  state_.weight += weight - rows_[index].weight;
  rows_[index].weight = weight;
}

void EvictionQueue::reset() { state_ = {0, kNoEntry, kNoEntry, 0, 0}; }

bool EvictionQueue::unvisited(uint32_t index) const {
  return index < rows_.count() && rows_[index].mark == 0 &&
         rows_[index].place.load(std::memory_order_relaxed) == place_;
}

EvictionQueue::Chain EvictionQueue::newer_from(uint32_t start) {
  Chain chain;
  for (uint32_t at = start; unvisited(at); at = rows_[at].newer) {
    rows_[at].mark = 1;
    rows_[at].older = chain.newest;
    if (chain.oldest == kNoEntry) chain.oldest = at;
    chain.newest = at;
  }
  return chain;
}

EvictionQueue::Chain EvictionQueue::older_from(uint32_t start) {
  Chain chain;
  for (uint32_t at = start; unvisited(at); at = rows_[at].older) {
    rows_[at].mark = 1;
    rows_[at].newer = chain.oldest;
    if (chain.newest == kNoEntry) chain.newest = at;
    chain.oldest = at;
  }
  return chain;
}

void EvictionQueue::rebuild() {
  const Chain front = newer_from(state_.oldest);
  const Chain back = older_from(state_.newest);
  reset();
  if (front.oldest != kNoEntry) link(front);
  for (const bool in_a_ring : {false, true})   // what is in no ring has an end to begin at
    for (uint32_t at = 0; at < rows_.count(); ++at)
      if (unvisited(at) && (in_a_ring || !unvisited(rows_[at].older))) link(newer_from(at));
  if (back.oldest != kNoEntry) link(back);
  for (uint32_t at = 0; at < rows_.count(); ++at)
    if (rows_[at].place.load(std::memory_order_relaxed) == place_) {
      state_.weight += rows_[at].weight;
      ++state_.count;
    }
}

}   // namespace proxyd::cache
