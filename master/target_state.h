#pragma once

#include <cstdint>
#include <string>

#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "shared/status/status_region.h"
#include "shared/status/target_health.h"

namespace proxyd::master {

// How a target is, or one of its addresses, in the words of the admin API. A value of one moment.
struct TargetState {
  std::string word;          // checking, up, degraded, draining, maintenance, down
  std::string reason;        // why it is not simply up; empty: it is
  uint64_t since_ms = 0;     // of the machine's steady clock; 0: from the start
  uint32_t weight = 0;       // that it has now
  uint32_t starting = 100;   // percent, below 100 in slow start
};

// Up, or degraded.
inline bool gets_requests(std::string_view word) { return word == "up" || word == "degraded"; }

// The state that a target's address came to by that.
std::string_view state_after(status::Cause cause);

// Of one address. Those of a target that is drained or in maintenance are as that is.
TargetState state_of(const config::Upstream& upstream, const config::Target& target,
                     const config::TargetMaterial& material, const config::TargetPlace& place,
                     const status::StatusRegion& status, uint64_t now_ms);
// Of all its addresses: the best of them, and why the others are not.
TargetState state_of(const config::Upstream& upstream, const config::Target& target,
                     const config::TargetMaterial& material, const status::StatusRegion& status, uint64_t now_ms);

}   // namespace proxyd::master
