#include "worker/proxy/origin.h"

#include "worker/upstream/balancer.h"

namespace proxyd::proxy {

namespace {

bool is_taken_by_what_no_key_holds(const config::Host& host, const config::Match& match) {
  return !match.headers.empty() || !match.cookies.empty() || !match.query.empty() || !match.client.empty() ||
         !host.listeners.empty();
}

// The URL tells such requests not apart, and the origin, which sees another path, can't tell what it varies by.
std::string_view with_rewritten(std::string_view partition, const routing::RouteEntry& route,
                                const routing::RequestFacts& facts) {
  if (!route.rewrite || !route.rewrite->reads_request()) return partition;
  http::Arena& arena = facts.head->fields.arena();
  return arena.concat(partition, "\n>", route.rewrite->apply(facts.head->target.path, facts, arena));
}

}   // namespace

Origin origin_of(const Configuration& configuration, const routing::RouteEntry& route,
                 const routing::RequestFacts& facts, Instant now) {
  const std::vector<std::string>& partitions = configuration.route_partitions[route.index];
  if (!route.split) return {*configuration.route_upstream[route.index], with_rewritten(partitions[0], route, facts)};
  const auto& groups = configuration.route_split[route.index];
  const auto usable = [&](size_t i) { return groups[i]->has_eligible(now); };
  const size_t drawn = route.split->draw(facts, usable);
  return {*groups[drawn], with_rewritten(partitions[partitions.size() > 1 ? drawn : 0], route, facts)};
}

std::vector<std::string> partitions_of(const config::Host& host, const routing::RouteEntry& route) {
  const std::string own = host.name + "/" + route.settings.name;
  const std::string before = is_taken_by_what_no_key_holds(host, route.settings.match) ? own + "/" : "";
  if (!route.split) return {before + route.settings.upstream.value_or("")};
  if (route.settings.split->cache == config::SplitCache::kShared) return {own};
  std::vector<std::string> partitions;
  for (const std::string& name : route.split->upstreams()) partitions.push_back(before + name);
  return partitions;
}

}   // namespace proxyd::proxy
