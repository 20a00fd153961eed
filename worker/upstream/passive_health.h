#pragma once

#include <cstdint>
#include <vector>

#include "shared/base/clock.h"
#include "shared/config/model_upstream.h"
#include "shared/status/status_region.h"
#include "shared/status/target_health.h"

namespace proxyd::upstream {

// What requests tell of an upstream's targets, and who of them is ejected for it: failures in a row or a share of them,
// of which all workers count the same; at most so many at once, and never the last one that is well. After its time an
// ejected one gets one request at a time as a trial. Immutable rules over the words of the status region; owned by the
// group of a snapshot and by its targets.
class PassiveHealth {
 public:
  // `rows`: of those that may be asked, were they well. `is_checked`: actively, too.
  PassiveHealth(const config::PassiveHealth& rules, const status::StatusRegion& status, uint32_t upstream_row,
                std::vector<uint32_t> rows, bool is_checked)
      : rules_(rules), status_(status), upstream_row_(upstream_row), rows_(std::move(rows)), is_checked_(is_checked) {}

  // What became of a request at the target of that row; `trial`: it was one.
  void succeeded(uint32_t row, Instant now, bool trial) const;
  void failed(uint32_t row, Instant now, bool trial, status::Finding finding) const;
  // The trial's end tells nothing: the next request may be one.
  void abandoned(uint32_t row, Instant now) const;
  // Whether the next request may be the trial of an ejected target: its own from then on.
  bool begin_trial(uint32_t row, Instant now) const;

 private:
  bool is_within_bounds(uint32_t row) const;
  void eject(uint32_t row, Instant now, status::Cause cause, status::Finding finding) const;
  status::TargetHealth health(uint32_t row) const { return status::TargetHealth(status_.health(row)); }
  void changed() const { status_.version(upstream_row_).fetch_add(1, std::memory_order_release); }

  config::PassiveHealth rules_;
  const status::StatusRegion& status_;
  uint32_t upstream_row_;
  std::vector<uint32_t> rows_;
  bool is_checked_;
};

}   // namespace proxyd::upstream
