#include "master/target_state.h"

#include <fmt/format.h>

#include <array>

#include "shared/status/slow_start.h"
#include "shared/status/target_health.h"

namespace proxyd::master {
namespace {

using status::TargetHealth;
using Condition = TargetHealth::Condition;

std::string detail_of(status::Finding finding, int status) {
  const std::string_view word = to_string(finding);
  return status != 0 && finding == status::Finding::kStatus ? fmt::format("{} {}", word, status) : std::string(word);
}

// What the last check that failed found.
std::string last_failure(const TargetHealth& health) {
  const auto results = health.results();
  for (auto result = results.rbegin(); result != results.rend(); ++result) {
    if (result->finding != status::Finding::kOk) return detail_of(result->finding, result->status);
  }
  return "not checked yet";
}

std::optional<TargetHealth::Transition> last_ejection(const TargetHealth& health) {
  using status::Cause;
  const auto transitions = health.transitions();
  for (auto one = transitions.rbegin(); one != transitions.rend(); ++one) {
    const bool ejected =
        one->cause == Cause::kFailuresInARow || one->cause == Cause::kErrorRate || one->cause == Cause::kTrialFailed;
    if (ejected) return *one;
  }
  return std::nullopt;
}

std::string reason_of(const TargetHealth& health, Condition condition, uint64_t now_ms) {
  const auto circuit = health.circuit();
  switch (condition) {
    case Condition::kUp: return "";
    case Condition::kChecking: return "waits for its first passed check: " + last_failure(health);
    case Condition::kFailing: return "failed checks: " + last_failure(health);
    case Condition::kEjected: {
      const auto last = last_ejection(health);
      const std::string why = last ? fmt::format(": {} ({})", to_string(last->cause), to_string(last->finding)) : "";
      if (circuit.state == TargetHealth::State::kTrial) return "ejected, a request tries it" + why;
      if (circuit.until_ms <= now_ms) return "ejected, the next request tries it" + why;
      return fmt::format("ejected for another {} s{}", (circuit.until_ms - now_ms + 999) / 1000, why);
    }
    case Condition::kDegraded: {
      const uint32_t requests = health.failures_in_a_row();
      if (requests > 0) return fmt::format("the last {} requests failed", requests);
      return "its last check failed: " + last_failure(health);
    }
  }
  return "";
}

std::string word_of(Condition condition) {
  constexpr std::array<const char*, 5> kWords = {"up", "degraded", "checking", "down", "down"};
  return kWords[static_cast<size_t>(condition)];
}

uint64_t since_of(const TargetHealth& health, Condition condition, bool is_checked) {
  if (condition == Condition::kFailing) return health.checked().since_ms;
  if (condition == Condition::kEjected) {
    const auto last = last_ejection(health);
    return last ? last->at_ms : 0;
  }
  return health.eligible_since_ms(is_checked);
}

// What a person said of it comes first.
std::optional<TargetState> admitted(const config::TargetMaterial& material) {
  if (material.admission == config::Admission::kDraining) return TargetState{.word = "draining"};
  if (material.admission == config::Admission::kMaintenance) return TargetState{.word = "maintenance"};
  if (material.places.empty()) return TargetState{.word = "checking", .reason = "the name does not resolve"};
  return std::nullopt;
}

int rank(const std::string& word) {
  constexpr std::array<std::string_view, 4> kWorstFirst = {"down", "checking", "degraded", "up"};
  for (size_t i = 0; i < kWorstFirst.size(); ++i) {
    if (word == kWorstFirst[i]) return static_cast<int>(i);
  }
  return -1;
}

}   // namespace

std::string_view state_after(status::Cause cause) {
  return cause == status::Cause::kChecksPassed || cause == status::Cause::kTrialPassed ? "up" : "down";
}

TargetState state_of(const config::Upstream& upstream, const config::Target& target,
                     const config::TargetMaterial& material, const config::TargetPlace& place,
                     const status::StatusRegion& status, uint64_t now_ms) {
  if (auto said = admitted(material)) return *said;
  const TargetHealth health(status.health(place.row));
  const bool is_checked = upstream.health.active.has_value();
  const Condition condition = health.condition(is_checked, upstream.health.passive.has_value());
  TargetState state{.word = word_of(condition), .reason = reason_of(health, condition, now_ms)};
  state.since_ms = since_of(health, condition, is_checked);
  if (condition == Condition::kFailing || condition == Condition::kEjected) return state;
  const uint32_t weight = material.weight.value_or(target.weight);
  const auto slow_start = target.slow_start.value_or(upstream.slow_start).value_or(config::Duration{0});
  const auto ramp_ms = static_cast<uint64_t>(slow_start.count());
  const uint64_t since = health.eligible_since_ms(is_checked);
  state.weight = status::ramped_weight(weight, since, ramp_ms, now_ms);
  state.starting = status::ramped_weight(100, since, ramp_ms, now_ms);
  return state;
}

TargetState state_of(const config::Upstream& upstream, const config::Target& target,
                     const config::TargetMaterial& material, const status::StatusRegion& status, uint64_t now_ms) {
  if (auto said = admitted(material)) return *said;
  std::optional<TargetState> best;
  std::string others;
  for (const config::TargetPlace& place : material.places) {
    TargetState one = state_of(upstream, target, material, place, status, now_ms);
    if (material.places.size() > 1 && !one.reason.empty())
      others += fmt::format("{}{}: {}", others.empty() ? "" : "; ", place.address, one.reason);
    if (!best || rank(one.word) > rank(best->word)) best = std::move(one);
  }
  if (material.places.size() > 1) best->reason = others;
  return *best;
}

}   // namespace proxyd::master
