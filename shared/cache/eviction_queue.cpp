#include "shared/cache/eviction_queue.h"

#include "shared/cache/frequency.h"
#include "shared/cache/step.h"

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

// A process that dies leaves what it stored in its program's order: only the compiler has to be told.
void QueueJournal::note(const QueueChange& change) {
  const uint32_t next = (current.load(std::memory_order_relaxed) + 1) % 2;
  changes[next] = change;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current.store(next, std::memory_order_release);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  step("queue: noted");
}

void EvictionQueue::note_and_make(const QueueChange& change) {
  journal_.note(change);
  make(change);
}

void EvictionQueue::add(uint32_t index) {
  note_and_make({.kind = QueueChange::Kind::add,
                 .place = place_,
                 .index = index,
                 .newest = state_.newest,
                 .count = state_.count + 1,
                 .weight = state_.weight + rows_[index].weight});
}

void EvictionQueue::unlink(uint32_t index) {
  note_and_make({.kind = QueueChange::Kind::unlink,
                 .place = place_,
                 .index = index,
                 .count = state_.count - 1,
                 .weight = state_.weight - rows_[index].weight});
}

void EvictionQueue::reweigh(uint32_t index, uint64_t weight) {
  note_and_make({.kind = QueueChange::Kind::reweigh,
                 .place = place_,
                 .index = index,
                 .count = state_.count,
                 .weight = state_.weight + weight - rows_[index].weight,
                 .entry_weight = weight});
}

// Of what it reads it changes nothing, but for what it stores the same again.
void EvictionQueue::make(const QueueChange& change) {
  EvictionEntry& entry = rows_[change.index];
  if (change.kind == QueueChange::Kind::add) {
    entry.newer = kNoEntry;
    entry.older = change.newest;
    step("queue: added");
    (change.newest == kNoEntry ? state_.oldest : rows_[change.newest].newer) = change.index;
    step("queue: linked");
    state_.newest = change.index;
  } else if (change.kind == QueueChange::Kind::unlink) {
    (entry.older == kNoEntry ? state_.oldest : rows_[entry.older].newer) = entry.newer;
    step("queue: half unlinked");
    (entry.newer == kNoEntry ? state_.newest : rows_[entry.newer].older) = entry.older;
  } else if (change.kind == QueueChange::Kind::reweigh) {
    entry.weight = change.entry_weight;
  }
  step("queue: not counted");
  state_.weight = change.weight;
  step("queue: weighed");
  state_.count = change.count;
  std::atomic_signal_fence(std::memory_order_seq_cst);
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
