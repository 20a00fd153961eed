#pragma once

#include <memory>
#include <string>

#include "master/admin/change.h"
#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// What the path of a call names, or the answer why it names nothing. Holds the configuration that it points into.
struct WantedTarget {
  std::shared_ptr<const master::ActiveConfiguration> active;
  const config::Upstream* upstream = nullptr;
  const config::Target* target = nullptr;
  AdminAnswer refusal;

  bool is_dynamic() const { return upstream && upstream->membership == config::Membership::kDynamic; }
  // The target as the API added it; null when it is declared.
  const master::Member* member() const;
  std::string name() const { return upstream->name + "/" + target->id; }   // "app/one"
};
WantedTarget find_target(const AdminRequest& request, Context& context);

// For a change of the document, which may be another by the time it is proposed: where the target that the path names
// is ("upstreams/app/targets/one"); the targets of its upstream, null when that is gone; the refusal when it is.
std::string place_of(const AdminRequest& request);
Json* targets_in(Json& document, const AdminRequest& request);
Proposal not_there(const AdminRequest& request);

}   // namespace proxyd::admin
