#include "worker/upstream/passive_health.h"

#include "shared/base/steady.h"

namespace proxyd::upstream {
namespace {

using status::Cause;
using status::TargetHealth;

// A trial that has not ended by then is given up: its worker may have died.
constexpr uint64_t kTrialTime = 60'000;

uint64_t steady_now(Instant now) { return static_cast<uint64_t>(steady_ms(now)); }
uint64_t ms(config::Duration duration) { return static_cast<uint64_t>(duration.count()); }

}   // namespace

void PassiveHealth::succeeded(uint32_t row, Instant now, bool trial) const {
  TargetHealth target = health(row);
  target.note_success();
  if (rules_.error_percent)
    (void)target.note_request(steady_now(now), false, static_cast<uint32_t>(*rules_.error_percent), ms(rules_.window));
  if (!trial) return;
  target.end_trial(steady_now(now), true, ms(rules_.eject_for), status::Finding::kOk);
  changed();
}

void PassiveHealth::failed(uint32_t row, Instant now, bool trial, status::Finding finding) const {
  TargetHealth target = health(row);
  if (trial) {
    target.end_trial(steady_now(now), false, ms(rules_.eject_for), finding);
    return changed();
  }
  const bool in_a_row = target.note_failure(steady_now(now), static_cast<uint32_t>(rules_.failures), ms(rules_.window));
  const bool by_share =
      rules_.error_percent &&
      target.note_request(steady_now(now), true, static_cast<uint32_t>(*rules_.error_percent), ms(rules_.window));
  if (in_a_row || by_share) eject(row, now, in_a_row ? Cause::kFailuresInARow : Cause::kErrorRate, finding);
}

void PassiveHealth::abandoned(uint32_t row, Instant now) const {
  health(row).abandon_trial(steady_now(now));
  changed();
}

bool PassiveHealth::begin_trial(uint32_t row, Instant now) const {
  const bool begun = health(row).begin_trial(steady_now(now), kTrialTime);
  if (begun) changed();
  return begun;
}

// Of the others some must be left, and with this one no more than the share may be ejected.
bool PassiveHealth::is_within_bounds(uint32_t row) const {
  uint64_t ejected = 1;
  bool others = false;
  for (const uint32_t other : rows_) {
    if (other == row) continue;
    const TargetHealth target = health(other);
    const bool closed = target.circuit().state == TargetHealth::State::kClosed;
    ejected += closed ? 0 : 1;
    others = others || (closed && (!is_checked_ || target.checked().verdict == status::Verdict::kPassing));
  }
  return others && ejected * 100 <= rows_.size() * static_cast<uint64_t>(rules_.max_ejected_percent);
}

// Two workers may eject two targets at once: who finds too many ejected then takes its own back.
void PassiveHealth::eject(uint32_t row, Instant now, Cause cause, status::Finding finding) const {
  if (!is_within_bounds(row)) return;
  TargetHealth target = health(row);
  const TargetHealth::Circuit before = target.circuit();
  // It is already; or who ejected it died before saying so.
  if (!target.eject(steady_now(now), ms(rules_.eject_for))) return changed();
  if (is_within_bounds(row))
    target.add_transition({steady_now(now), cause, finding, 0});
  else
    target.undo_ejection(before);
  changed();
}

}   // namespace proxyd::upstream
