#include "worker/proxy/origin.h"

#include "worker/upstream/balancer.h"

namespace proxyd::proxy {

Origin origin_of(const Request& request) {
  const routing::RouteEntry& route = *request.matched.route;
  if (!route.split) {
    const upstream::UpstreamGroup& group = *request.configuration->route_upstream[route.index];
    return {group, group.name};
  }
  const auto& groups = request.configuration->route_split[route.index];
  const auto usable = [&groups](size_t i) { return upstream::Balancer::has_eligible(*groups[i]); };
  const upstream::UpstreamGroup& group = *groups[route.split->draw(request.facts, usable)];
  const bool shared = route.settings.split->cache == config::SplitCache::kShared;
  return {group, shared ? std::string_view(route.settings.name) : group.name};
}

}   // namespace proxyd::proxy
