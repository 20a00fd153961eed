#pragma once

#include <sys/types.h>

#include <cstdint>

#include "master/cache_keeper.h"
#include "master/row_table.h"
#include "shared/base/result.h"
#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "shared/limits/limits_region.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/reject_region.h"
#include "shared/status/status_region.h"
#include "shared/tickets/ticket_region.h"

namespace proxyd::master {

// Makes the regions and gives out their rows. Owned by the master; callers hold the configuration's lock. Each address
// of a target has a row for as long as it is one, named "upstream/target@address", so that what was counted at one is
// never told of another. It is given to another only when every worker's oldest configuration is newer than the last
// one that named it, so no count ever goes to the wrong target.
class RegionKeeper {
 public:
  static Result<RegionKeeper> create(uint64_t cache_ceiling);

  metrics::MetricsRegion& metrics() { return metrics_; }
  status::StatusRegion& status() { return status_; }
  status::RejectRegion& rejects() { return rejects_; }
  tickets::TicketRegion& tickets() { return tickets_; }
  limits::LimitsRegion& limits() { return limits_; }
  CacheKeeper& cache() { return *cache_; }

  // A worker begins: what the regions say of its slot is its own, and it holds `edition` at least.
  void worker_started(uint32_t slot, uint64_t incarnation, pid_t pid, uint64_t edition);
  // It was reaped: its gauges go, what it counted stays, and so does what it stored.
  void worker_died(uint32_t slot);
  // Now, as workers write it into their slots.
  static uint64_t heartbeat_now();

  // Rows for everything that a document names.
  struct Assignment {
    config::Materials materials;
    RowTable targets;
    RowTable upstreams;
    RowTable limits;
  };
  // Of `document`, whose targets' places are in `materials`, as `edition`, for now: nothing is given away before
  // `keep`. Fails when there are none left.
  Result<Assignment> assign_rows(const config::Document& document, config::Materials materials, uint64_t edition) const;
  // The document is about to be in force: rows that were given away know nothing of who had them.
  void keep(Assignment assignment);
  // Series for what `document` names, before a worker looks them up.
  void add_series(const config::Document& document);

 private:
  RegionKeeper(metrics::MetricsRegion metrics, status::StatusRegion status, status::RejectRegion rejects,
               tickets::TicketRegion tickets, limits::LimitsRegion limits, std::unique_ptr<CacheKeeper> cache)
      : metrics_(std::move(metrics)),
        status_(std::move(status)),
        rejects_(std::move(rejects)),
        tickets_(std::move(tickets)),
        limits_(std::move(limits)),
        cache_(std::move(cache)) {}

  uint64_t oldest_edition_held() const;

  metrics::MetricsRegion metrics_;
  status::StatusRegion status_;
  status::RejectRegion rejects_;
  tickets::TicketRegion tickets_;
  limits::LimitsRegion limits_;
  std::unique_ptr<CacheKeeper> cache_;
  RowTable targets_{status::kTargetRows - 1};   // the last one is nobody's
  RowTable upstreams_{status::kUpstreamRows};
  RowTable limit_numbers_{limits::kRateLimitNumbers};
};

}   // namespace proxyd::master
