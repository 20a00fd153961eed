#pragma once

#include "worker/routing/acme_challenge.h"
#include "worker/routing/matcher.h"

namespace proxyd::routing {

// Whether the request finds its host in maintenance. Challenges of certificate authorities and those who ask whether we
// are ready go on.
inline bool is_closed_to(const Matched& matched, const RequestFacts& facts) {
  return matched.host && matched.host->closed && !is_acme_challenge(facts.head->target.path) &&
         !(matched.route && matched.route->settings.ready);
}

}   // namespace proxyd::routing
