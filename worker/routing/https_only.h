#pragma once

#include "worker/routing/matcher.h"

namespace proxyd::routing {

// Whether the request is sent to https, as its host would have it. Challenges of certificate authorities (RFC 8555 8.3)
// and those who ask whether we are ready need not follow.
inline bool must_be_https(const Matched& matched, const RequestFacts& facts) {
  return matched.host && matched.host->settings.force_https && facts.scheme == http::Scheme::kHttp &&
         !facts.head->target.path.starts_with("/.well-known/acme-challenge/") &&
         !(matched.route && matched.route->settings.ready);
}

}   // namespace proxyd::routing
