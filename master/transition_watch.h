#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "master/configuration.h"
#include "master/events.h"
#include "shared/base/log.h"
#include "shared/status/target_health.h"

namespace proxyd::master {

// Tells people when a target's state became another: an event and a line of the log for each. Workers write
// transitions into the status region; this looks there once a second. Owned by the master, called from its chores
// alone.
class TransitionWatch {
 public:
  TransitionWatch(Events& events, Log& log) : events_(events), log_(log) {}

  void look(const ActiveConfiguration& active, RegionKeeper& regions);

 private:
  struct Place {
    std::string upstream;
    std::string target;
    std::string address;
    std::string labels;   // of its counters
  };
  void tell(const Place& place, const status::TargetHealth::Transition& transition, metrics::MetricsRegion& metrics);

  Events& events_;
  Log& log_;
  std::map<uint32_t, uint64_t> told_;   // by row: the number of the next one to tell
};

}   // namespace proxyd::master
