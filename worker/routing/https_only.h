#pragma once

#include "worker/routing/acme_challenge.h"
#include "worker/routing/matcher.h"

namespace proxyd::routing {

// Whether the request is sent to https, as its host would have it. Challenges of certificate authorities and those who
// ask whether we are ready need not follow.
inline bool must_be_https(const Matched& matched, const RequestFacts& facts) {
  return matched.host && matched.host->settings.force_https && facts.scheme == http::Scheme::kHttp &&
         !is_acme_challenge(facts.head->target.path) && !(matched.route && matched.route->settings.ready);
}

}   // namespace proxyd::routing
