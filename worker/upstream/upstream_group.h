#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "shared/metrics/metrics_region.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// One address of a target with what a snapshot says of it.
struct Member {
  std::string id;   // the target's, which several may share
  std::shared_ptr<Target> target;
  uint32_t weight = 100;   // the override's, else the document's
  config::Admission admission = config::Admission::kReady;
  bool backup = false;
  config::MaybeSize max_connections;

  // May get new requests at all.
  bool is_eligible() const {
    return admission == config::Admission::kReady && weight > 0 && target->address().has_value();
  }
  bool has_room() const { return !max_connections || target->in_flight_everywhere() < *max_connections; }
};

// An upstream as one snapshot has it. Immutable; owned by the snapshot's configuration, which requests keep alive.
struct UpstreamGroup {
  std::string name;
  config::Balance balance = config::Balance::kP2c;
  std::vector<Member> members;
  std::vector<uint16_t> primaries;   // eligible members that are no backup
  std::vector<uint16_t> backups;     // eligible backups: used when no primary can be
  std::vector<uint16_t> schedule;    // of the smooth weighted round robin over the primaries, one full turn
  uint32_t turn_row = 0;             // of the common turn in the status region
  std::string host;                  // keep | target | a name
  config::Retry retry;
  metrics::Cell retries;
  metrics::Cell errors[16];   // by error token, in the order of proxy::ProxyError
};

// The turn of a smooth weighted round robin: each round every member gains its weight, the richest is chosen and pays
// the sum. Weights are divided by their greatest common divisor; a turn longer than 4,096 is made with weights scaled
// down, each at least 1.
std::vector<uint16_t> smooth_weighted_turn(const std::vector<uint32_t>& weights);

}   // namespace proxyd::upstream
