#pragma once

#include <string>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// A target as /upstreams shows it: what the document says of it, its state, counters and overrides.
Json target_json(const master::ActiveConfiguration& active, const config::Upstream& upstream,
                 const config::Target& target, Context& context);
// What all targets of a dynamic upstream were asked, those that have gone among them.
Json dynamic_counters(const config::Upstream& upstream, Context& context);
// "up", "draining", …
std::string state_of(const config::TargetMaterial& material);

}   // namespace proxyd::admin
