#include "worker/proxy/origin.h"

#include "worker/upstream/balancer.h"

namespace proxyd::proxy {

Origin origin_of(const Configuration& configuration, const routing::RouteEntry& route,
                 const routing::RequestFacts& facts) {
  if (!route.split) {
    const upstream::UpstreamGroup& group = *configuration.route_upstream[route.index];
    return {group, group.name};
  }
  const auto& groups = configuration.route_split[route.index];
  const auto usable = [&groups](size_t i) { return upstream::Balancer::has_eligible(*groups[i]); };
  const upstream::UpstreamGroup& group = *groups[route.split->draw(facts, usable)];
  const bool shared = route.settings.split->cache == config::SplitCache::kShared;
  return {group, shared ? std::string_view(route.settings.name) : group.name};
}

std::vector<std::string> partitions_of(const config::Route& route) {
  if (!route.split) return {route.upstream.value_or("")};
  if (route.split->cache == config::SplitCache::kShared) return {route.name};
  std::vector<std::string> names;
  for (const auto& [name, share] : route.split->upstreams) names.push_back(name);
  return names;
}

}   // namespace proxyd::proxy
