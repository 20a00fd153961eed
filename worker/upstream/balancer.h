#pragma once

#include <array>
#include <cstdint>

#include "shared/status/status_region.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::upstream {

// The targets that a request has been to; a retry goes elsewhere while there is an elsewhere.
struct Tried {
  std::array<uint16_t, 16> members{};
  uint8_t count = 0;

  bool holds(uint16_t member) const {
    for (uint8_t i = 0; i < count; ++i) {
      if (members[i] == member) return true;
    }
    return false;
  }
  void add(uint16_t member) {
    if (count < members.size()) members[count++] = member;
  }
};

// Chooses the target of a request by what all workers know: requests in flight (power of two choices) or the common
// turn (smooth weighted round robin). Owned by the worker; one thread; no allocation.
class Balancer {
 public:
  Balancer(const status::StatusRegion& status, uint64_t seed) : status_(status), random_(seed | 1) {}

  enum class Outcome : uint8_t { kChosen, kNoneEligible, kAllFull };
  struct Choice {
    Outcome outcome = Outcome::kNoneEligible;
    uint16_t member = 0;
  };
  // Primaries first, then backups; untried ones first, then, when none is left, those that were tried.
  Choice choose(const UpstreamGroup& group, const Tried& tried);
  // Whether any target could get a request; for shares of a split.
  static bool has_eligible(const UpstreamGroup& group) { return !group.primaries.empty() || !group.backups.empty(); }

 private:
  Choice choose_among(const UpstreamGroup& group, const std::vector<uint16_t>& candidates, const Tried& tried);
  Choice by_turn(const UpstreamGroup& group, const Tried& tried);
  Choice by_two_choices(const UpstreamGroup& group, const std::vector<uint16_t>& candidates, const Tried& tried);
  uint64_t next_random();

  const status::StatusRegion& status_;
  uint64_t random_;
};

}   // namespace proxyd::upstream
