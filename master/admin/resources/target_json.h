#pragma once

#include <string>

#include "master/admin/context.h"
#include "master/admin/exchange.h"
#include "master/target_state.h"

namespace proxyd::admin {

// A target as /upstreams shows it: what the document says of it, its state, counters and overrides.
Json target_json(const master::ActiveConfiguration& active, const config::Upstream& upstream,
                 const config::Target& target, Context& context);
// What all targets of a dynamic upstream were asked, those that have gone among them.
Json dynamic_counters(const config::Upstream& upstream, Context& context);
// Whether a target of that upstream is there and gets requests.
bool is_up(const master::ActiveConfiguration& active, const std::string& upstream, const std::string& target,
           Context& context);
// How the target is now.
master::TargetState state_now(const config::Upstream& upstream, const config::Target& target,
                              const config::TargetMaterial& material, Context& context);

}   // namespace proxyd::admin
