#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shared/cache/accounts.h"
#include "shared/metrics/metrics_region.h"

namespace proxyd::master {

// What the workers counted of the cache, summed over routes: requests of routes that cache by result and by reason, and
// octets sent to clients, of these out of the cache. A value; any thread.
struct CacheCounts {
  std::map<std::string, uint64_t> results;
  std::map<std::string, uint64_t> reasons;
  uint64_t served_bytes = 0;
  uint64_t sent_bytes = 0;

  // The share of requests, of octets, that the origin was not asked for; negative before there were any.
  double by_requests() const;
  double by_bytes() const;
};
CacheCounts cache_counts(const metrics::MetricsRegion& region);

// The reasons alone, of one route.
std::map<std::string, uint64_t> reasons_of_route(const metrics::MetricsRegion& region, const std::string& host,
                                                 const std::string& route);

// What the cache says of itself, into its series of /metrics.
void note_accounts(const metrics::MetricsRegion& region, const cache::Accounts& accounts);

}   // namespace proxyd::master
