#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shared/config/model.h"
#include "shared/limits/limits_region.h"
#include "worker/routing/access.h"
#include "worker/routing/request_key.h"

namespace proxyd::routing {

// A rate limit of the document, compiled once a snapshot: what it counts a request by, and how many may come. The
// counts lie in the region "limits", under the limit's number, so that they are the same for every worker and every
// configuration that knows the limit. Immutable; owned by the configuration. Nothing allocates.
class RateLimit {
 public:
  // `except`: whom this list allows is not counted; null: everyone is.
  RateLimit(const config::RateLimit& settings, uint32_t number, const AccessList* except);

  const config::RateLimit& settings() const { return settings_; }
  const limits::Rate& rate() const { return rate_; }
  // RateLimit-Policy of its answers: `"per-ip";q=150;w=3` (draft-ietf-httpapi-ratelimit-headers).
  const std::string& policy() const { return policy_; }

  // What the request is counted under; 0: it is not.
  uint64_t key_of(const RequestFacts& facts, const limits::LimitsRegion& region) const;
  // By which of the keys that is; null: by none.
  const config::RequestKey* counted_by(const RequestFacts& facts) const;

 private:
  uint64_t domain(const RequestKey& key) const;
  uint64_t hash(const RequestKey& key, const RequestFacts& facts, const limits::LimitsRegion& region) const;

  const config::RateLimit settings_;
  uint32_t number_;
  const AccessList* except_;
  RequestKey key_;
  std::optional<RequestKey> fallback_;
  limits::Rate rate_;
  std::string policy_;
};

}   // namespace proxyd::routing
