#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/base/steady.h"
#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "shared/metrics/metrics_region.h"
#include "worker/upstream/health_check.h"
#include "worker/upstream/ketama.h"
#include "worker/upstream/passive_health.h"
#include "worker/upstream/standing.h"
#include "worker/upstream/target.h"
#include "worker/upstream/waiting_line.h"

namespace proxyd::upstream {

// One address of a target with what a snapshot says of it.
struct Member {
  std::string id;   // the target's, which several may share
  std::shared_ptr<Target> target;
  uint32_t weight = 100;   // the override's, else the document's
  config::Admission admission = config::Admission::kReady;
  bool backup = false;
  config::MaybeSize max_connections;
  config::MaybeDuration slow_start;
  std::shared_ptr<Target> probe;   // what checks ask; null: it is not checked
  std::string mark;                // of its clients' cookies, where the upstream is sticky

  // May get new requests at all, if it is well.
  bool is_admitted() const {
    return admission == config::Admission::kReady && weight > 0 && target->address().has_value();
  }
  // May go on with a client that was there before.
  bool keeps_clients() const { return admission != config::Admission::kMaintenance && target->address().has_value(); }
  bool has_room() const { return !max_connections || target->in_flight_everywhere() < *max_connections; }
  // With the one that asks counted already.
  bool is_overfull() const { return max_connections && target->in_flight_everywhere() > *max_connections; }
};

// An upstream as one snapshot has it. Immutable but for its standing; owned by the snapshot's configuration, which
// requests keep alive.
struct UpstreamGroup {
  std::string name;
  uint32_t index = 0;   // among those of its configuration
  config::Balance balance = config::Balance::kP2c;
  std::vector<Member> members;
  uint32_t row = 0;                          // in the status region
  std::shared_ptr<const CheckRules> check;   // null: no active checks; else who was not found well waits
  std::optional<int> panic_threshold;        // percent
  std::shared_ptr<const PassiveHealth> passive;
  std::shared_ptr<const KetamaRing> ring;   // of the members in order; null: another algorithm
  std::unique_ptr<Standing> standing = std::make_unique<Standing>();
  std::shared_ptr<WaitingLine> line;   // null: nobody waits for room
  config::Queue queue;                 // its bounds
  bool has_limits = false;             // some member has max_connections
  std::string host;                    // keep | target | a name
  config::Retry retry;
  metrics::Cell retries;
  metrics::Cell queued;
  metrics::Cell errors[16];                       // by error token, in the order of proxy::ProxyError
  const status::StatusRegion* status = nullptr;   // the worker's

  // Who may be asked now.
  const Standing& standing_at(Instant now) const {
    standing->look(*this, *status, static_cast<uint64_t>(steady_ms(now)));
    return *standing;
  }
  // Whether any target could get a request; for shares of a split.
  bool has_eligible(Instant now) const { return !standing_at(now).nobody(); }
};

// The turn of a smooth weighted round robin: each round every member gains its weight, the richest is chosen and pays
// the sum. Weights are divided by their greatest common divisor; a turn longer than 4,096 is made with weights scaled
// down, each at least 1.
std::vector<uint16_t> smooth_weighted_turn(const std::vector<uint32_t>& weights);

}   // namespace proxyd::upstream
