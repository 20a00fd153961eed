#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "shared/base/clock.h"
#include "shared/cache/cache.h"
#include "shared/cache/subjects.h"
#include "shared/config/model.h"
#include "shared/memory/wake_descriptors.h"

namespace proxyd::master {

// The shared cache as the master has it: the region, the descriptors that wake workers, and a way into it of its own,
// to repair, purge and keep house. Owned by the RegionKeeper; any thread, each call a bounded piece of work under one
// mutex. It is always there, whether a route caches or not: pages come with use.
class CacheKeeper {
 public:
  // Fails naming the ceiling and the reason.
  static Result<std::unique_ptr<CacheKeeper>> create(uint64_t ceiling);

  uint64_t ceiling() const { return view_.geometry().ceiling; }
  int descriptor() const { return region_.descriptor(); }
  std::array<int, kWorkerSlots> wakes() const { return wakes_.numbers(); }

  // How much memory it would take by this document: what that says, the ceiling at most.
  uint64_t memory_of(const config::Cache& settings) const;
  // What is above goes in the course of `turn`.
  void limit_memory(uint64_t octets);

  // The worker of that slot was reaped: what it left is cleared now, or by the next turns where a lock is busy.
  void worker_died(uint32_t slot);
  // No worker may begin in a slot before this is true.
  bool is_clear(uint32_t slot);
  // Some housekeeping, a few milliseconds at most. True: more is waiting, soon again.
  bool turn();

  // To name by what shall be purged.
  cache::PurgeList purge_list() const { return cache::PurgeList(cache::PurgeStamps(view_)); }
  // The sequence of the purge, which holds for all workers when this returns; nothing while others purge for longer
  // than a second.
  std::optional<uint64_t> purge(const cache::PurgeList& list, cache::PurgeMode mode);
  // After a hard purge: what is stored under these keys dies at once, so that its memory comes back.
  void drop(const std::vector<std::string>& keys);

  // The share of stamps in use, as far as a sample says: how likely a purge takes one thing too much.
  double stamps_in_use() const;
  // Purges by expressions that are looked at one by one, kMostBans at most.
  uint32_t bans() const { return cache::Bans::count(view_); }
  cache::Accounts accounts() const { return cache::accounts_of(view_); }

 private:
  CacheKeeper(memory::Region region, memory::WakeDescriptors wakes);
  bool clear_departed();

  memory::Region region_;
  memory::WakeDescriptors wakes_;
  cache::RegionView view_;
  std::mutex mutex_;
  cache::Cache cache_;
  std::set<uint32_t> departed_;   // worker slots that are not cleared yet
  Instant shrinking_until_{};     // the limit has sunk: more may have to go
  uint64_t swept_for_ = 0;        // the last purge that was swept after
  uint32_t sweeping_ = 0;         // turns until that is done
  uint64_t segments_ = 0;         // octets, at the last turn
  bool has_free_pages_ = false;   // as far as is known
};

}   // namespace proxyd::master
