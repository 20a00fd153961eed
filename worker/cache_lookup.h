#pragma once

#include <nlohmann/json.hpp>

#include "shared/cache/cache.h"
#include "worker/asked_request.h"
#include "worker/caching/freshness.h"
#include "worker/proxy/configuration.h"

namespace proxyd::worker {

// Whether and how a request takes part in caching: what explain says of a route that forwards, whatever is stored.
// {policy, reason (a word of caching::Reason, or null), url, key}; a policy of null caches nothing.
nlohmann::json describe_terms(const proxy::Configuration& configuration, const routing::RouteEntry& route,
                              AskedRequest& asked);

// What the cache would be for a request, by the matcher, the policy and the rules that serve requests. `question`: as
// of explain. The answer: host, route, policy, key, `result` (hit, stale, validate, wait, miss, pass, bypass, off,
// refuse), `reason` (a word of caching::Reason), `why` in a sentence, `stored` and the fields it varies by, where there
// are some, `primary_key` in hexadecimal, to list its variants by; or `error`. It stores nothing and asks nobody.
nlohmann::json lookup(const proxy::Configuration& configuration, cache::Cache& cache, const nlohmann::json& question,
                      caching::Moment now);

}   // namespace proxyd::worker
