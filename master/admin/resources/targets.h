#pragma once

#include <memory>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

using ActiveConfiguration = std::shared_ptr<const master::ActiveConfiguration>;

// What the path of a call names, or the answer why it names nothing. Holds the configuration that it points into.
struct WantedTarget {
  ActiveConfiguration active;
  const config::Upstream* upstream = nullptr;
  const config::Target* target = nullptr;
  AdminAnswer refusal;

  // "app/one"
  std::string name() const { return upstream->name + "/" + target->id; }
  std::string place() const;
  uint32_t row() const { return active->targets.at(name()).row; }
};
WantedTarget find_target(const AdminRequest& request, Context& context);

Json target_json(const ActiveConfiguration& active, const config::Upstream& upstream, const config::Target& target,
                 Context& context);
// "up", "draining", …: admin.md 3.
std::string state_of(const config::TargetMaterial& material);

// Waits at the target until nothing is in flight, the time is over, or the operation ends; says how it is then.
enum class Idle { kYes, kNo, kInterrupted };
Idle wait_for_idle(Context& context, const Operations::Control& control, uint32_t row, milliseconds limit);

// Puts an override on a target, which makes a new epoch; the refusal, or nothing.
struct TargetOverride {
  std::string aspect;   // admission, weight
  std::string kind;     // drain, maintenance, weight
  std::string value;
  std::string reason;
  std::optional<milliseconds> lifetime;
};
std::optional<AdminAnswer> put_override(const AdminRequest& request, Context& context, const WantedTarget& wanted,
                                        const TargetOverride& what);
// Takes it back; nothing when there is none.
std::optional<AdminAnswer> clear_override(const std::string& target, const std::string& aspect, Context& context,
                                          const std::string& owner);

}   // namespace proxyd::admin
