#pragma once

#include <cstdint>
#include <optional>

#include "shared/status/status_region.h"

namespace proxyd::status {

// Which worker asks targets how they are: the one in the lowest slot that runs, which says so once a second; after 3 s
// without that another may. One word of the region, so nobody dies holding half of it.
class ProberLease {
 public:
  static constexpr uint64_t kLost = 3000;   // ms

  ProberLease(const StatusRegion& status, uint32_t slot) : status_(status), slot_(slot) {}

  // Called about once a second: true while this worker is the prober.
  bool renew(uint64_t now_ms);
  // Who is at that moment; nobody when the lease was not renewed.
  static std::optional<uint32_t> holder(const StatusRegion& status, uint64_t now_ms);

 private:
  bool is_lowest(uint64_t now_ms) const;

  const StatusRegion& status_;
  uint32_t slot_;
};

}   // namespace proxyd::status
