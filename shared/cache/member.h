#pragma once

#include "shared/cache/region_view.h"
#include "shared/memory/patience.h"

namespace proxyd::cache {

inline void count(std::atomic<uint64_t>& what, uint64_t by = 1) { what.fetch_add(by, std::memory_order_relaxed); }

// A process as the region knows it: the view, its slot and its incarnation. A plain value that lives with the `Cache`.
struct Member {
  RegionView view;
  Holder holder;
  mutable memory::Patience patience{};

  WorkerSlot& slot() const { return view.slot(holder.slot); }
  Tally& tally() const { return view.superblock().tally; }
  // Each lock of the region by this door, which remembers those that are not to be had.
  memory::RobustMutex::Outcome acquire(memory::RobustMutex& lock, Wait wait) const {
    const auto [outcome, in_vain] = patience.acquire(lock, wait);
    if (in_vain) count(tally().lock_busy);
    return outcome;
  }
};

}   // namespace proxyd::cache
