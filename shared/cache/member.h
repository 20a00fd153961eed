#pragma once

#include "shared/cache/region_view.h"

namespace proxyd::cache {

// A process as the region knows it: the view, its slot and its incarnation. A plain value that lives with the `Cache`.
struct Member {
  RegionView view;
  Holder holder;

  WorkerSlot& slot() const { return view.slot(holder.slot); }
  Tally& tally() const { return view.superblock().tally; }
};

inline void count(std::atomic<uint64_t>& what, uint64_t by = 1) { what.fetch_add(by, std::memory_order_relaxed); }

}   // namespace proxyd::cache
