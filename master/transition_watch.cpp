#include "master/transition_watch.h"

#include <fmt/format.h>

#include "master/target_state.h"
#include "shared/metrics/labels.h"

namespace proxyd::master {

void TransitionWatch::tell(const Place& place, const status::TargetHealth::Transition& transition,
                           metrics::MetricsRegion& metrics) {
  const std::string_view state = state_after(transition.cause);
  const std::string status = transition.status == 0 ? "" : fmt::format(" {}", transition.status);
  const std::string finding =
      transition.finding == status::Finding::kOk ? "" : fmt::format(" ({}{})", to_string(transition.finding), status);
  const std::string line = fmt::format("target {} of upstream {} at {} is {}: {}{}", place.target, place.upstream,
                                       place.address, state, to_string(transition.cause), finding);
  if (state == "up")
    log_.info("{}", line);
  else
    log_.warning("{}", line);
  events_.publish("target", {{"upstream", place.upstream},
                             {"target", place.target},
                             {"address", place.address},
                             {"state", state},
                             {"cause", to_string(transition.cause)},
                             {"finding", to_string(transition.finding)}});
  metrics
      .cell(metrics::MetricsRegion::kMasterSlot, "proxyd_upstream_transitions_total",
            metrics::with(place.labels, metrics::label("state", state)))
      .add();
}

void TransitionWatch::look(const ActiveConfiguration& active, RegionKeeper& regions) {
  const status::StatusRegion& status = regions.status();
  std::map<uint32_t, uint64_t> seen;
  for (const auto& [name, material] : active.targets) {
    const size_t slash = name.find('/');
    const std::string upstream = name.substr(0, slash);
    const std::string target = name.substr(slash + 1);
    const auto settings = active.document.upstreams.find(upstream);
    if (settings == active.document.upstreams.end()) continue;
    const bool dynamic = settings->second.membership == config::Membership::kDynamic;
    const std::string labels =
        dynamic ? metrics::dynamic_target_labels(upstream) : metrics::target_labels(upstream, target);
    for (const config::TargetPlace& place : material.places) {
      uint64_t& next = seen[place.row];
      const auto known = told_.find(place.row);
      next = known == told_.end() ? 0 : known->second;
      const uint64_t noted = status.health(place.row).transitions_noted.load(std::memory_order_relaxed);
      if (noted < next) next = 0;   // the row is another's
      if (noted == next) continue;
      for (const auto& transition : status::TargetHealth(status.health(place.row)).transitions()) {
        if (transition.number < next) continue;
        tell({upstream, target, place.address, labels}, transition, regions.metrics());
        next = transition.number + 1;
      }
    }
  }
  told_ = std::move(seen);
}

}   // namespace proxyd::master
