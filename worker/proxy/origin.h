#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "worker/proxy/configuration.h"
#include "worker/routing/request_facts.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// Who answers a request in the end: the upstream of its route, or the one that the route's split draws.
struct Origin {
  const upstream::UpstreamGroup& group;
  std::string_view partition;   // of the cache: what one upstream answered is not another's, unless the split says so
};

// The route forwards.
Origin origin_of(const Configuration& configuration, const routing::RouteEntry& route,
                 const routing::RequestFacts& facts);

// The partitions that such an origin may have.
std::vector<std::string> partitions_of(const config::Route& route);

}   // namespace proxyd::proxy
