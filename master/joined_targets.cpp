#include "master/joined_targets.h"

#include <algorithm>
#include <optional>

#include "shared/status/target_health.h"

namespace proxyd::master {
namespace {

using config::Admission;

// How a place was admitted; nothing: it was not there.
std::optional<Admission> former(const DocumentTargets& before, const std::string& name,
                                const config::TargetPlace& place) {
  const auto found = before.targets.find(name);
  if (found == before.targets.end()) return std::nullopt;
  const auto& places = found->second.places;
  const bool there =
      std::any_of(places.begin(), places.end(), [&place](const auto& one) { return one.row == place.row; });
  return there ? std::optional(found->second.admission) : std::nullopt;
}

bool had_any(const DocumentTargets& before, const std::string& upstream) {
  const auto found = before.targets.lower_bound(upstream + "/");
  return before.document.upstreams.contains(upstream) && found != before.targets.end() &&
         found->first.starts_with(upstream + "/");
}

// What is asked and expected, not how often.
bool asks_the_same(const config::Document& before, const config::Document& next, const std::string& upstream) {
  const auto was = before.upstreams.find(upstream);
  const auto is = next.upstreams.find(upstream);
  if (was == before.upstreams.end() || is == next.upstreams.end()) return true;
  std::optional<config::ActiveHealth> a = was->second.health.active;
  std::optional<config::ActiveHealth> b = is->second.health.active;
  if (!a || !b) return !b;   // checks that begin anew know nothing
  a->interval = b->interval;
  a->timeout = b->timeout;
  a->rise = b->rise;
  a->fall = b->fall;
  return a == b;
}

}   // namespace

void note_joined(const DocumentTargets& before, const DocumentTargets& next, const status::StatusRegion& status,
                 uint64_t now_ms) {
  for (const auto& [name, material] : next.targets) {
    const std::string upstream = name.substr(0, name.find('/'));
    const bool same_checks = asks_the_same(before.document, next.document, upstream);
    const bool has_others = had_any(before, upstream);
    for (const config::TargetPlace& place : material.places) {
      status::TargetHealth health(status.health(place.row));
      const auto was = former(before, name, place);
      const bool ready = material.admission == Admission::kReady;
      if (!was) health.clear();
      if (was && (!same_checks || (was == Admission::kMaintenance && material.admission != Admission::kMaintenance)))
        health.forget_checks();
      if (ready && has_others && was != Admission::kReady) health.set_ready_since(now_ms);
    }
  }
}

}   // namespace proxyd::master
