#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shared/base/result.h"
#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/reject_region.h"
#include "shared/status/status_region.h"

namespace proxyd::master {

// Makes the regions and gives out their rows. Owned by the master; callers hold the configuration's lock. A row stays
// a target's while a document names it; it is given to another only when every worker's oldest configuration is newer
// than the last one that named it, so no count ever goes to the wrong target.
class RegionKeeper {
 public:
  static Result<RegionKeeper> create();

  metrics::MetricsRegion& metrics() { return metrics_; }
  status::StatusRegion& status() { return status_; }
  status::RejectRegion& rejects() { return rejects_; }

  // Rows for everything that `document` names, noted as in use by `revision`. Fails when there are none left.
  Result<config::Materials> assign_rows(const config::Document& document, uint64_t revision);

 private:
  RegionKeeper(metrics::MetricsRegion metrics, status::StatusRegion status, status::RejectRegion rejects)
      : metrics_(std::move(metrics)), status_(std::move(status)), rejects_(std::move(rejects)) {}

  struct Row {
    uint32_t number = 0;
    uint64_t last_revision = 0;   // that named it
  };
  using Rows = std::map<std::string, Row>;
  Result<uint32_t> row_for(Rows& rows, const std::string& name, uint64_t revision, uint32_t limit);
  uint64_t oldest_revision_held() const;

  metrics::MetricsRegion metrics_;
  status::StatusRegion status_;
  status::RejectRegion rejects_;
  Rows targets_;
  Rows upstreams_;
};

}   // namespace proxyd::master
