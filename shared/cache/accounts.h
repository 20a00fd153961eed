#pragma once

#include <cstdint>

#include "shared/cache/region_view.h"

namespace proxyd::cache {

// How full the cache is and what became of what left, summed over the region. A plain value; counts may lag by a
// change.
struct Accounts {
  uint64_t memory_limit = 0;
  uint64_t objects = 0;    // in the index
  uint64_t stored = 0;     // octets of blocks of objects that the eviction knows
  uint64_t used = 0;       // octets of all blocks in use, also of fills and of what waits in limbo
  uint64_t segments = 0;   // octets of segments in use
  uint64_t fixed = 0;      // octets of index, stamps, eviction and headers
  uint64_t rows = 0;       // octets of object rows ever used
  uint64_t limbo = 0;      // rows that wait until nobody pins them
  uint64_t published = 0;
  uint64_t evicted = 0, expired = 0, purged = 0, refused = 0, no_room = 0, pins_full = 0, lock_busy = 0;
  uint64_t taken_over = 0, shard_repairs = 0, class_repairs = 0, emptied_segments = 0;
};
Accounts accounts_of(const RegionView& view);

}   // namespace proxyd::cache
