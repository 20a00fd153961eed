#include "shared/limits/rate_table.h"

#include <bit>

namespace proxyd::limits {
namespace {

constexpr int kTries = 1000;   // each in vain means that another worker's was not

struct Pair {
  uint64_t key;
  uint64_t word;
};

// Both words of a cell at once. The two loads before it need not belong together: then it fails.
bool exchange(RateCell& cell, Pair expected, Pair wanted) {
  static_assert(sizeof(RateCell) == 2 * sizeof(uint64_t));
  using Both [[gnu::may_alias]] = unsigned __int128;
  const auto both = [](Pair pair) { return Both{pair.word} << 64 | pair.key; };   // little-endian
  static_assert(std::endian::native == std::endian::little);
  return __sync_bool_compare_and_swap(reinterpret_cast<Both*>(&cell), both(expected), both(wanted));
}

size_t find(const RateSet& set, uint64_t key) {
  size_t way = 0;
  while (way < kRateWays && set.cells[way].key.load(std::memory_order_relaxed) != key) ++way;
  return way;
}

// A free one, or the one that will tell nothing soonest.
size_t cheapest(const RateSet& set) {
  size_t best = 0;
  uint64_t soonest = UINT64_MAX;
  for (size_t way = 0; way < kRateWays; ++way) {
    const bool free = set.cells[way].key.load(std::memory_order_relaxed) == 0;
    const uint64_t after = free ? 0 : set.void_after[way].load(std::memory_order_relaxed);
    if (after >= soonest) continue;
    soonest = after;
    best = way;
  }
  return best;
}

}   // namespace

Rate::Charge RateTable::charge(uint64_t key, const Rate& rate, uint64_t now) const {
  RateSet& set = set_of(key);
  Rate::Charge charge;
  for (int tries = 0; tries < kTries; ++tries) {
    const size_t found = find(set, key);
    const size_t way = found < kRateWays ? found : cheapest(set);
    RateCell& cell = set.cells[way];
    const Pair was{cell.key.load(std::memory_order_relaxed), cell.word.load(std::memory_order_relaxed)};
    charge = rate.charge(was.key == key ? was.word : 0, now);
    if (!charge.admitted && charge.word == was.word) return charge;   // as most
    if (!exchange(cell, was, {key, charge.word})) continue;
    set.void_after[way].store(charge.void_after, std::memory_order_relaxed);
    return charge;
  }
  return charge;
}

Rate::Charge RateTable::look(uint64_t key, const Rate& rate, uint64_t now) const {
  const RateSet& set = set_of(key);
  const size_t way = find(set, key);
  return rate.charge(way < kRateWays ? set.cells[way].word.load(std::memory_order_relaxed) : 0, now);
}

}   // namespace proxyd::limits
