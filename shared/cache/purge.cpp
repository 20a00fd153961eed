#include "shared/cache/purge.h"

#include <algorithm>

#include "shared/cache/key.h"
#include "shared/cache/step.h"

namespace proxyd::cache {

uint32_t PurgeStamps::stamp_of(StampKind kind, std::string_view text) const {
  std::array<uint64_t, 2> secret = view_.superblock().stamp_secret;
  secret[0] ^= static_cast<uint64_t>(kind) + 1;
  return static_cast<uint32_t>(hash_key(secret, text).low) & (view_.geometry().stamp_count - 1);
}

bool PurgeStamps::lock(Wait wait) {
  Superblock& superblock = view_.superblock();
  const auto outcome = superblock.purge_lock.acquire(wait);   // callers count tries
  if (outcome == memory::RobustMutex::Outcome::owner_died) {
    superblock.published.store(std::max(superblock.published.load(), superblock.purging.load()));
    superblock.purge_lock.repaired();
  }
  return outcome != memory::RobustMutex::Outcome::busy;
}

bool PurgeStamps::visit_lock() {
  if (!lock(Wait::patiently)) return false;
  view_.superblock().purge_lock.release();
  return true;
}

std::optional<uint64_t> PurgeStamps::begin(Wait wait) {
  if (!lock(wait)) return std::nullopt;
  Superblock& superblock = view_.superblock();
  const uint64_t sequence = superblock.published.load() + 1;
  superblock.purging.store(sequence);
  step("purge: sequence taken");
  return sequence;
}

// A ban that gives way writes its own sequence, which may be older than what is there.
void PurgeStamps::write(uint32_t stamp, PurgeMode mode, uint64_t sequence) {
  Stamp& both = view_.stamp(stamp);
  std::atomic<uint64_t>& word = mode == PurgeMode::hard ? both.hard : both.soft;
  if (word.load(std::memory_order_relaxed) < sequence) word.store(sequence, std::memory_order_release);
  step("purge: stamp");
}

void PurgeStamps::publish(uint64_t sequence) {
  view_.superblock().published.store(sequence);
  step("purge: published");
  view_.superblock().purge_lock.release();
}

std::optional<uint64_t> PurgeStamps::purge(std::span<const uint32_t> stamps, PurgeMode mode, Wait wait) {
  const auto sequence = begin(wait);
  if (!sequence) return std::nullopt;
  for (const uint32_t stamp : stamps) write(stamp, mode, *sequence);
  publish(*sequence);
  return sequence;
}

Purged PurgeStamps::newest(std::span<const uint32_t> stamps, uint64_t since) const {
  Purged purged = Purged::no;
  for (const uint32_t index : stamps) {
    const Stamp& stamp = view_.stamp(index);
    if (stamp.hard.load(std::memory_order_acquire) > since) return Purged::hard;
    if (stamp.soft.load(std::memory_order_acquire) > since) purged = Purged::soft;
  }
  return purged;
}

double PurgeStamps::share_in_use(uint32_t sampled) const {
  const uint32_t count = std::min(std::max(sampled, 1u), view_.geometry().stamp_count);
  uint32_t used = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const Stamp& stamp = view_.stamp(i);   // any are as good as others, and neighbours touch few pages
    used += stamp.hard.load(std::memory_order_relaxed) != 0 || stamp.soft.load(std::memory_order_relaxed) != 0;
  }
  return static_cast<double>(used) / count;
}

}   // namespace proxyd::cache
