#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/config/cidr.h"
#include "shared/config/snapshot.h"
#include "shared/metrics/metrics_region.h"
#include "worker/caching/cache_policies.h"
#include "worker/caching/reason.h"
#include "worker/proxy/affinity.h"
#include "worker/proxy/group_builder.h"
#include "worker/proxy/listener_tls.h"
#include "worker/proxy/route_auth.h"
#include "worker/routing/access.h"
#include "worker/routing/matcher.h"
#include "worker/routing/purge_access.h"
#include "worker/routing/rate_limit.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

using metrics::CacheResult;

// The counters of a route, or of a host's answers that no route made.
struct RouteCells {
  metrics::Cell by_class[5];
  metrics::Histogram duration;
  metrics::Cell bytes_in;
  metrics::Cell bytes_out;
};

// What the cache was for the requests of a route, and why it was not all. Empty for a route that caches nothing.
struct CacheCells {
  std::array<metrics::Cell, metrics::kCacheResults.size()> by_result;
  std::array<metrics::Cell, metrics::kCacheReasons.size()> by_reason;
  metrics::Cell served_bytes;

  void count(CacheResult result, caching::Reason reason, uint64_t octets) const {
    if (metrics::is_served(result)) served_bytes.add(octets);
    by_result[static_cast<size_t>(result)].add();
    if (reason != caching::Reason::kNone) by_reason[static_cast<size_t>(reason)].add();
  }
};

// An access list that a route names, and whom it turned away.
struct AccessRule {
  const routing::AccessList* list;
  metrics::Cell denied;
};

// A rate limit, and what became of the requests that it counted.
struct RateRule {
  routing::RateLimit limit;
  metrics::Cell admitted;
  metrics::Cell denied;
  metrics::Cell observed;
};

// What a route asks before it answers a request: all must let it in.
struct RouteGuard {
  std::vector<AccessRule> access;
  std::vector<const RateRule*> rates;
  std::vector<const RateRule*> origin_rates;   // of what an origin is asked for
  config::MaybeSize requests_per_client;       // at once
};

// A snapshot, ready to serve: decoded, compiled, its counters looked up, its upstreams joined with the targets that
// the worker knows already. Immutable; a request holds the one it began with.
struct Configuration {
  Configuration(config::Snapshot from, config::Document decoded);

  config::Snapshot snapshot;
  config::Document document;
  config::CidrList trusted_proxies;
  routing::Matcher matcher;
  caching::CachePolicies cache_policies;
  std::map<std::string, routing::AccessList> access_lists;
  std::map<std::string, RateRule> rate_limits;
  std::map<std::string, upstream::UpstreamGroup> upstreams;
  std::vector<std::vector<std::string>> sticky_cookies;                    // by host index
  bool has_affinities = false;                                             // some upstream is sticky or hashes
  std::vector<Affinity> affinities;                                        // by index of the upstream
  std::vector<const upstream::UpstreamGroup*> route_upstream;              // by route index; null without
  std::vector<std::vector<const upstream::UpstreamGroup*>> route_split;    // by route index
  std::vector<std::vector<std::string>> route_partitions;                  // by route index: of the cache
  std::vector<const caching::Policy*> route_policy;                        // by route index; null: nothing is cached
  std::vector<std::unique_ptr<const RouteGuard>> route_guard;              // by route index; null: it asks nothing
  std::vector<RouteAuth> route_auth;                                       // by route index
  std::vector<CacheCells> caches;                                          // by route index
  std::vector<RouteCells> routes;                                          // by route index
  std::vector<RouteCells> hosts;                                           // by host index
  std::vector<std::optional<routing::PurgeAccess>> purge_access;           // by host index; none: no PURGE
  std::map<std::string, ListenerTls::Context, std::less<>> listener_tls;   // by listener, those with `tls`
  RouteCells rejected;
  RouteCells none;
};

// Makes configurations of snapshots. Owned by the worker.
class ConfigurationBuilder {
 public:
  // Without `metrics`, for what will never serve, nothing is looked up: its series are not registered. Without
  // `tickets` no TLS session is resumed.
  ConfigurationBuilder(upstream::Services services, const metrics::MetricsRegion* metrics,
                       const tickets::TicketRegion* tickets)
      : services_(services), metrics_(metrics), listener_tls_(tickets), groups_(services, metrics) {}

  // Fails with a pointer into the document and a text.
  struct Refusal {
    std::string pointer;
    std::string text;
  };
  Result<std::shared_ptr<const Configuration>, Refusal> build(config::Snapshot snapshot);
  // After a configuration came into force: its targets keep connections as it says, and what only older ones used is
  // let go.
  void settle(const Configuration& current);

 private:
  metrics::Cell cell(std::string_view name, std::string_view labels) const;
  RateRule rate_rule(const config::RateLimit& settings, const Configuration& built) const;
  std::unique_ptr<const RouteGuard> guard_of(const config::Route& route, const Configuration& built) const;
  CacheCells cache_cells_for(std::string_view host, std::string_view route) const;
  Result<RouteAuth> auth_for(const config::Host& host, const config::Route& route, const config::Materials& materials);
  RouteCells cells_for(std::string_view host, std::string_view route) const;

  upstream::Services services_;
  const metrics::MetricsRegion* metrics_;
  ListenerTls listener_tls_;
  Requirements requirements_;
  GroupBuilder groups_;
};

}   // namespace proxyd::proxy
