#pragma once

#include <memory>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// The host that the path of a call names, or the answer why it names none. Holds the configuration that it points into.
struct WantedHost {
  std::shared_ptr<const master::ActiveConfiguration> active;
  const config::Host* host = nullptr;
  AdminAnswer refusal;
};
WantedHost find_host(const AdminRequest& request, Context& context);

// A host as /hosts shows it: its names, whether it serves, its overrides, and of each route the split with its shares.
Json host_json(const master::ActiveConfiguration& active, const config::Host& host);
// One of its routes, which has a split.
Json split_json(const master::ActiveConfiguration& active, const config::Host& host, const config::Route& route);

}   // namespace proxyd::admin
