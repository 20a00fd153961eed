#include "master/cache_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/steady.h"
#include "shared/config/units.h"

namespace proxyd::master {
namespace {

constexpr uint32_t kMySlot = kWorkerSlots;   // the first behind the workers'
constexpr uint64_t kIncarnation = 1;         // of that slot, in a region that no other master has had
constexpr uint32_t kTended = 8;
constexpr uint32_t kTendedAfterPurge = 128;
constexpr int kPurgeTries = 50;   // of RobustMutex::kPatience
constexpr uint32_t kStampsSampled = 16384;
constexpr uint32_t kPagesReleased = 1;   // segments in a turn, so that what comes and goes keeps its pages
constexpr uint32_t kPagesReleasedShrinking = 8;
constexpr milliseconds kShrinking{500};   // without effect until it is taken for done: the rest is being read

}   // namespace

Result<std::unique_ptr<CacheKeeper>> CacheKeeper::create(uint64_t ceiling) {
  auto region = cache::create_region(ceiling);
  if (!region)
    return Error{
        fmt::format("the cache of cache_ceiling {} cannot be made: {}; lower it, or raise what the system "
                    "allows",
                    config::format_size(ceiling), region.error().message)};
  auto wakes = memory::WakeDescriptors::create();
  if (!wakes) return wakes.error();
  return std::unique_ptr<CacheKeeper>(new CacheKeeper(std::move(*region), std::move(*wakes)));
}

CacheKeeper::CacheKeeper(memory::Region region, memory::WakeDescriptors wakes)
    : region_(std::move(region)),
      wakes_(std::move(wakes)),
      view_(cache::view_of(region_)),
      cache_(view_, kMySlot, kIncarnation) {
  cache_.limit_memory(memory_of({}));
}

uint64_t CacheKeeper::memory_of(const config::Cache& settings) const {
  return std::min(settings.memory.value_or(config::kDefaultCacheMemory), ceiling());
}

void CacheKeeper::limit_memory(uint64_t octets) {
  const std::lock_guard lock(mutex_);
  if (octets < accounts().memory_limit) shrinking_until_ = Clock::now() + kShrinking;
  cache_.limit_memory(octets);
}

void CacheKeeper::worker_died(uint32_t slot) {
  const std::lock_guard lock(mutex_);
  if (!cache_.worker_died(slot)) departed_.insert(slot);
  wakes_.wake_all(cache_.take_wakes());
}

bool CacheKeeper::is_clear(uint32_t slot) {
  const std::lock_guard lock(mutex_);
  return !departed_.contains(slot);
}

// One at a time: each may wait for a lock.
bool CacheKeeper::clear_departed() {
  if (!departed_.empty() && cache_.worker_died(*departed_.begin())) departed_.erase(departed_.begin());
  return departed_.empty();
}

std::optional<uint64_t> CacheKeeper::purge(const cache::PurgeList& list, cache::PurgeMode mode) {
  cache::PurgeStamps stamps(view_);
  for (int tries = 0; tries < kPurgeTries; ++tries) {
    if (const auto sequence = stamps.purge(list.words(), mode)) return sequence;
  }
  return std::nullopt;
}

void CacheKeeper::drop(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const std::lock_guard lock(mutex_);
    cache_.drop(key);
  }
}

double CacheKeeper::stamps_in_use() const { return cache::PurgeStamps(view_).share_in_use(kStampsSampled); }

bool CacheKeeper::turn() {
  const std::lock_guard lock(mutex_);
  const bool all_clear = clear_departed();
  const int64_t at = steady_ms(Clock::now());
  const cache::Accounts sums = accounts();
  if (sums.published != swept_for_) {   // what it took is looked for in one walk over all rows
    swept_for_ = sums.published;
    sweeping_ =
        2 + static_cast<uint32_t>(sums.rows / sizeof(cache::Object) / (cache::Cache::kRowsInTend * kTendedAfterPurge));
  }
  const bool shrinking = Clock::now() < shrinking_until_;
  const bool hurries = sweeping_ > 0 || shrinking;
  for (uint32_t i = 0; i < (hurries ? kTendedAfterPurge : kTended); ++i) cache_.tend(at);
  if (sweeping_ > 0) --sweeping_;
  const uint64_t before = segments_;
  segments_ = sums.segments;
  has_free_pages_ = has_free_pages_ || segments_ < before || shrinking;   // else it is not even looked for them
  const uint32_t wanted = shrinking ? kPagesReleasedShrinking : kPagesReleased;
  const bool released = has_free_pages_ && cache_.release_pages(wanted) != 0;
  has_free_pages_ = released;
  wakes_.wake_all(cache_.take_wakes());
  if (shrinking && (released || segments_ < before)) shrinking_until_ = Clock::now() + kShrinking;
  return !all_clear || shrinking;
}

}   // namespace proxyd::master
