#include "master/admin/resources/health_json.h"

#include "master/region_keeper.h"
#include "master/target_state.h"
#include "shared/base/clock.h"
#include "shared/status/target_health.h"

namespace proxyd::admin {
namespace {

using status::TargetHealth;

constexpr int64_t kRounded = 100;   // ms

Json result_json(const TargetHealth::Result& result) {
  Json json{{"at", wall_time(result.at_ms)},
            {"passed", result.finding == status::Finding::kOk},
            {"finding", to_string(result.finding)}};
  if (result.status != 0) json["status"] = result.status;
  return json;
}

Json transition_json(const TargetHealth::Transition& transition) {
  Json json{{"at", wall_time(transition.at_ms)},
            {"state", master::state_after(transition.cause)},
            {"cause", to_string(transition.cause)}};
  if (transition.finding != status::Finding::kOk) json["finding"] = to_string(transition.finding);
  if (transition.status != 0) json["status"] = transition.status;
  return json;
}

}   // namespace

// Both clocks are read one after the other: rounded, so that a moment is the same whenever it is asked for.
Json wall_time(uint64_t steady_ms) {
  using std::chrono::duration_cast;
  if (steady_ms == 0) return nullptr;
  const auto wall = duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const int64_t apart = wall.count() - static_cast<int64_t>(master::RegionKeeper::heartbeat_now());
  const int64_t rounded = (apart + kRounded / 2) / kRounded * kRounded;
  return rfc3339(std::chrono::system_clock::time_point(milliseconds(static_cast<int64_t>(steady_ms) + rounded)));
}

Json health_json(status::HealthWords& words) {
  const TargetHealth health(words);
  Json checks = Json::array();
  Json transitions = Json::array();
  for (const auto& result : health.results()) checks.push_back(result_json(result));
  for (const auto& transition : health.transitions()) transitions.push_back(transition_json(transition));
  const auto circuit = health.circuit();
  Json json{{"checks", std::move(checks)},
            {"transitions", std::move(transitions)},
            {"failures_in_a_row", health.failures_in_a_row()},
            {"times_ejected", circuit.times}};
  if (circuit.state == TargetHealth::State::kOpen) json["ejected_until"] = wall_time(circuit.until_ms);
  return json;
}

}   // namespace proxyd::admin
