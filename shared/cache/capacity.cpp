#include "shared/cache/capacity.h"

#include <algorithm>

namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint64_t kReservePart = 16;   // of the memory: half for fills and limbo, half for half-full segments
constexpr uint64_t kCrowdedPart = 4;
constexpr uint64_t kLargePart = 10;   // as the eviction's small queue: what is larger counts as large for a shard

// A shard's part: an equal one, and beside it what is large there, which all pay for; where there is more of that than
// fits, as much of it as there is room for all.
uint64_t part_of(uint64_t usable, uint64_t all_large, uint64_t own_large, uint32_t shards) {
  if (all_large <= usable) return (usable - all_large) / shards + own_large;
  return static_cast<uint64_t>(static_cast<double>(own_large) / static_cast<double>(all_large) *
                               static_cast<double>(usable));
}

}   // namespace

uint64_t Capacity::sum(std::atomic<uint64_t> Shard::* what) const {
  uint64_t octets = 0;
  for (uint32_t i = 0; i < member_.view.geometry().shard_count; ++i) {
    octets += (member_.view.shard(i).*what).load(kRelaxed);
  }
  return octets;
}

uint64_t Capacity::kept() const { return sum(&Shard::weight); }

uint64_t Capacity::large() const { return sum(&Shard::large); }

uint64_t Capacity::allowed() const { return uint64_t{pool_.allowed_segments()} * member_.view.geometry().segment_size; }

uint64_t Capacity::large_limit() const { return allowed() / member_.view.geometry().shard_count / kLargePart; }

bool Capacity::is_crowded() const { return pool_.used_granules() * kGranule > kept() + allowed() / kCrowdedPart; }

// What the limit leaves when a reserve is taken off. Fills and limbo come and go: as long as they keep to their half of
// the reserve nobody has to leave for them, or a newcomer would find its room without having won it.
uint64_t Capacity::usable(uint64_t taken) const {
  const uint64_t known = kept() + taken;
  const uint64_t used = pool_.used_granules() * kGranule;
  const uint64_t unknown = used > known ? used - known : 0;
  const uint64_t allowed = this->allowed();
  const uint64_t reserve = allowed / kReservePart;
  const uint64_t apart = std::max(unknown + reserve / 2, reserve);
  return allowed > apart ? allowed - apart : 0;
}

uint64_t Capacity::with(uint32_t shard, uint64_t newcomer, uint64_t taken) const {
  const uint64_t large_one = newcomer > large_limit() ? newcomer : 0;
  const uint64_t own = member_.view.shard(shard).large.load(kRelaxed) + large_one;
  return std::max(large_one, part_of(usable(taken), large() + large_one, own, member_.view.geometry().shard_count));
}

std::optional<uint32_t> Capacity::fullest(ShardSet but) const {
  const uint32_t count = member_.view.geometry().shard_count;
  const uint64_t usable_now = usable(0);
  const uint64_t large_now = large();
  std::optional<uint32_t> fullest;
  uint64_t most = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Shard& shard = member_.view.shard(i);
    const uint64_t weight = shard.weight.load(kRelaxed);
    const uint64_t capacity = part_of(usable_now, large_now, shard.large.load(kRelaxed), count);
    if (but[i] || weight <= capacity || weight - capacity <= most) continue;
    most = weight - capacity;
    fullest = i;
  }
  return fullest;
}

}   // namespace proxyd::cache
