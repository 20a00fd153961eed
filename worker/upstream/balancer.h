#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "shared/base/clock.h"
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

// Chooses the target of a request by what all workers know: requests in flight (power of two choices, least requests,
// the bound of consistent hashing) or the common turn (smooth weighted round robin). Owned by the worker; one thread;
// allocates nothing but where the group's standing is drawn up anew.
class Balancer {
 public:
  Balancer(const status::StatusRegion& status, uint64_t seed) : status_(status), random_(seed | 1) {}

  enum class Outcome : uint8_t { kChosen, kNoneEligible, kAllFull };
  struct Choice {
    Outcome outcome = Outcome::kNoneEligible;
    uint16_t member = 0;
    bool is_trial = false;   // of an ejected target: this request is the one
  };
  // What of the request itself says where it belongs.
  struct Belongs {
    uint32_t hash = 0;                // for consistent hashing
    std::optional<uint16_t> member;   // where its client was before
  };
  // The client's own, a trial that is due, then primaries, backups, ejected ones; untried ones first, then, when none
  // is left, those that were tried.
  Choice choose(const UpstreamGroup& group, const Tried& tried, const Belongs& belongs, Instant now);
  // Whether clients of a member go on there.
  bool keeps(const UpstreamGroup& group, uint16_t member) const;

 private:
  using List = Standing::List;
  std::optional<Choice> own(const UpstreamGroup& group, const Belongs& belongs) const;
  std::optional<Choice> trial(const UpstreamGroup& group, Instant now) const;
  Choice choose_avoiding(const UpstreamGroup& group, const Tried& avoided, const Belongs& belongs);
  Choice choose_among(const UpstreamGroup& group, const List& candidates, const Tried& tried, const Belongs& belongs);
  Choice by_turn(const UpstreamGroup& group, const Tried& tried);
  Choice by_two_choices(const UpstreamGroup& group, const List& candidates, const Tried& tried);
  Choice by_fewest(const UpstreamGroup& group, const List& candidates, const Tried& tried);
  Choice by_hash(const UpstreamGroup& group, const Tried& tried, uint32_t hash);
  uint64_t next_random();

  const status::StatusRegion& status_;
  uint64_t random_;
};

}   // namespace proxyd::upstream
