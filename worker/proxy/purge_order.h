#pragma once

#include <optional>
#include <set>
#include <string>

#include "shared/cache/cache.h"
#include "worker/caching/purge_request.h"
#include "worker/proxy/purge_ban.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// What a PURGE is to take from the cache, spelled as it is stored.
struct PurgeOrder {
  using Texts = std::set<std::string>;

  Texts urls;
  Texts keys;   // of URLs
  Texts prefixes;
  Texts hosts;   // "*": all
  Texts tags;
  std::optional<PurgeBan> ban;
};

// The ban without its hosts, if the PURGE has one.
PurgeOrder order_of(const Request& request, const caching::PurgeRequest& purge, std::optional<PurgeBan> ban);
// False when the cache's purge lock can't be had, each time within its patience: then nothing is purged.
bool carry_out(const PurgeOrder& order, cache::PurgeMode mode, cache::Cache& cache);

}   // namespace proxyd::proxy
