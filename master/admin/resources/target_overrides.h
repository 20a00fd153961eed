#pragma once

#include <optional>
#include <string>

#include "master/admin/context.h"
#include "master/admin/exchange.h"
#include "master/admin/resources/target_watch.h"
#include "master/admin/resources/wanted_target.h"
#include "master/target_subject.h"

namespace proxyd::admin {

// Waits at the target until nothing is in flight, the time is over, or the operation ends; says how it is then.
enum class Idle { kYes, kNo, kCancelled, kStopping };
Idle wait_for_idle(const Operations::Control& control, TargetWatch& watch, milliseconds limit);

// Puts an override on a target, which makes a new epoch; the refusal, or nothing.
struct TargetOverride {
  master::TargetSubject::Aspect aspect = master::TargetSubject::Aspect::kAdmission;
  std::string kind;   // drain, maintenance, weight
  std::string value;
  std::string reason;
  std::optional<milliseconds> lifetime;
};
std::optional<AdminAnswer> put_override(const AdminRequest& request, Context& context, const WantedTarget& wanted,
                                        const TargetOverride& what);
// Takes it back, of the target that the path names; nothing when there is none.
std::optional<AdminAnswer> clear_override(const AdminRequest& request, Context& context,
                                          master::TargetSubject::Aspect aspect);

// The override of the target's admission that is in force.
std::optional<store::Override> admission_of(const AdminRequest& request, Context& context);
// A drain is taken back: `former`, which it had replaced, is in force again. Nothing when something else has taken the
// drain's place meanwhile.
std::optional<AdminAnswer> undo_drain(const AdminRequest& request, Context& context,
                                      const std::optional<store::Override>& former);

}   // namespace proxyd::admin
