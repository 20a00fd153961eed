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
  // Of the cache: what one upstream answered is not another's, unless the split says so, and what was asked for by
  // another path is another thing where fields of the request make that path. In the request's arena or the document.
  std::string_view partition;
};

// The route forwards.
Origin origin_of(const Configuration& configuration, const routing::RouteEntry& route,
                 const routing::RequestFacts& facts, Instant now);

// The partitions that a route's origins have; by upstream where its split keeps them apart. A route that is taken by
// what no key holds (a field, a cookie, a parameter, the client, the listener) has partitions of its own: whoever can
// choose it must not choose what others are given.
std::vector<std::string> partitions_of(const config::Host& host, const routing::RouteEntry& route);

}   // namespace proxyd::proxy
