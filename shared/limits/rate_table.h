#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shared/limits/rate.h"

namespace proxyd::limits {

// What a table of rates lies in: zeroed shared memory of this layout. A key and its word lie side by side, and change
// together or not at all.
inline constexpr size_t kRateWays = 8;
inline constexpr size_t kRateSets = 32 * 1024;   // 262,144 keys

struct alignas(16) RateCell {
  std::atomic<uint64_t> key;   // 0: nobody's
  std::atomic<uint64_t> word;
};
struct alignas(64) RateSet {
  std::array<RateCell, kRateWays> cells;
  std::array<std::atomic<uint64_t>, kRateWays> void_after;   // a hint for who needs a cell
};

// The rates of all keys, for all workers: each asks and changes it without a lock, by one compare-and-swap of key and
// word. So whoever dies anywhere in between leaves no count wrong, and who was overtaken by another, or whose cell was
// given to another key, sees that and begins anew. A key is a keyed hash of 64 bits, since clients choose what is
// hashed; its low bits say in which eight cells it may be. Where none is free the one whose word will tell nothing
// soonest goes: its key begins anew, and is allowed no more than its quota twice. Owned by the region; any process.
// Nothing blocks, fails or allocates.
class RateTable {
 public:
  explicit RateTable(RateSet* sets) : sets_(sets) {}

  // Takes one request of `key` (not 0) by `rate`, or says how long it has to wait.
  Rate::Charge charge(uint64_t key, const Rate& rate, uint64_t now) const;
  // What `charge` would say; nothing changes.
  Rate::Charge look(uint64_t key, const Rate& rate, uint64_t now) const;

 private:
  RateSet& set_of(uint64_t key) const { return sets_[key % kRateSets]; }

  RateSet* sets_;
};

}   // namespace proxyd::limits
