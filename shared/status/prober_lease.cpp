#include "shared/status/prober_lease.h"

namespace proxyd::status {
namespace {

constexpr uint64_t kTimeBits = 48;
constexpr uint64_t kTimeMask = (uint64_t{1} << kTimeBits) - 1;

uint64_t word_of(uint32_t slot, uint64_t now_ms) { return uint64_t{slot + 1} << kTimeBits | (now_ms & kTimeMask); }
bool is_lost(uint64_t word, uint64_t now_ms) { return word == 0 || now_ms > (word & kTimeMask) + ProberLease::kLost; }

}   // namespace

// When none serves, as when all drain, the lowest that lives goes on.
bool ProberLease::is_lowest(uint64_t now_ms) const {
  const bool serves = status_.worker(slot_).serving.load(std::memory_order_relaxed) != 0;
  for (uint32_t slot = 0; slot < status_.slots_in_use(); ++slot) {
    const WorkerSlot& other = status_.worker(slot);
    if (slot == slot_ || other.pid.load(std::memory_order_relaxed) == 0) continue;
    if (now_ms > other.heartbeat_ms.load(std::memory_order_relaxed) + kLost) continue;
    const bool other_serves = other.serving.load(std::memory_order_relaxed) != 0;
    if (other_serves == serves ? slot < slot_ : other_serves) return false;
  }
  return true;
}

bool ProberLease::renew(uint64_t now_ms) {
  std::atomic<uint64_t>& lease = status_.prober();
  uint64_t now = lease.load(std::memory_order_relaxed);
  const bool mine = now >> kTimeBits == slot_ + 1;
  if (!mine && !is_lost(now, now_ms)) return false;
  const bool lowest = is_lowest(now_ms);
  if (!mine && !lowest) return false;
  const uint64_t next = lowest ? word_of(slot_, now_ms) : 0;   // given up: the lower one takes it at once
  return lease.compare_exchange_strong(now, next, std::memory_order_relaxed) && lowest;
}

std::optional<uint32_t> ProberLease::holder(const StatusRegion& status, uint64_t now_ms) {
  const uint64_t word = status.prober().load(std::memory_order_relaxed);
  if (is_lost(word, now_ms)) return std::nullopt;
  return static_cast<uint32_t>(word >> kTimeBits) - 1;
}

}   // namespace proxyd::status
