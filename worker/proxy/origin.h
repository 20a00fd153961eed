#pragma once

#include <string_view>

#include "worker/proxy/request.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// Who answers a request in the end: the upstream of its route, or the one that the route's split draws.
struct Origin {
  const upstream::UpstreamGroup& group;
  std::string_view partition;   // of the cache: what one upstream answered is not another's, unless the split says so
};

// The request has a route that forwards.
Origin origin_of(const Request& request);

}   // namespace proxyd::proxy
