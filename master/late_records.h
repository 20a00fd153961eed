#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "master/store/store.h"
#include "shared/base/log.h"

namespace proxyd::master {

// What was done, as a record for people that is written to the store afterwards, in batches: what it is of (a purge)
// waits for no database, be it full, locked or damaged. Owned by the master; any thread; only `write` and `purges` wait
// for the store. At most 1,024 of each kind wait: above, the oldest go, and the log says so.
class LateRecords {
 public:
  LateRecords(store::Store& store, Log& log) : store_(store), log_(log) {}

  // A number that no purge has had, rising: microseconds since 1970.
  uint64_t next_id();
  void add(store::Purge purge);
  void add(store::AuditEntry entry);
  // What waits. It waits on when that fails.
  void write();
  // Newest first, older than `before` (0: from the newest), those that wait among them; those alone when the store
  // cannot be read.
  std::vector<store::Purge> purges(uint64_t before, size_t limit);

 private:
  void keep(store::Records later);
  void give_up(size_t count);

  store::Store& store_;
  Log& log_;
  std::mutex writing_;
  std::mutex mutex_;
  store::Records waiting_;
  std::vector<store::Purge> in_hand_;   // being written
  uint64_t last_id_ = 0;
  std::string failure_;   // said already
};

}   // namespace proxyd::master
