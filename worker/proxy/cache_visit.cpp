#include "worker/proxy/cache_visit.h"

#include <memory>
#include <utility>

#include "worker/caching/hit_for_miss.h"
#include "worker/proxy/background.h"

namespace proxyd::proxy {

// Nobody shall queue for an origin that gives no answer.
bool CacheVisit::try_stale_if_error(bool by_origin) {
  held_.origin_failed = by_origin;
  const Instant now = held_.request.loop().now();
  const bool client_was_hasty = held_.request.total.passed(now) && !held_.request.shared_total.passed(now);
  held_.duty.stop_filling(client_was_hasty ? 0 : held_.shared.now() + caching::kPassAfterFailure);
  return held_.serve_stale_if_error();
}

Fill::Limits fill_limits(const Request& request, const caching::Policy& policy) {
  RelayLimits of_origin{Pace(request.timeouts().between_bytes, 0), Pace(std::nullopt, 0)};
  of_origin.total = request.shared_total;
  return {of_origin, policy.max_object, caching::kPassForSize};
}

void CacheVisit::begin_fill(upstream::Incoming incoming, FilledContent* reader) {
  Fill::Limits limits = fill_limits(held_.request, held_.policy);
  if (held_.slice) limits.kind = AloneFills::kSlices;
  auto fill = std::make_unique<Fill>(held_.shared, held_.duty.hand_over(), std::move(incoming), limits, 0);
  Fill::start(held_.request.proxy.tasks(), std::move(fill), reader);
}

void CacheVisit::take_over(cache::Filler filler) { resume_in_background(held_.request, std::move(filler)); }

caching::CacheStatus CacheVisit::status() const {
  caching::CacheStatus status = held_.status;
  status.hit = !held_.asked && !status.collapsed;
  if (status.hit) status.detail = status.reason;   // why it is stale
  const bool has_lifetime = status.hit || status.stored || is_stale_if_error();
  if (has_lifetime) status.ttl = held_.freshness.remaining(held_.shared.now()) / 1000;
  return status;
}

CacheResult CacheVisit::result() const {
  if (!held_.primary) return CacheResult::kBypass;
  if (is_stale_if_error()) return CacheResult::kStale;
  if (!held_.asked && held_.stored) {
    if (held_.status.collapsed) return CacheResult::kCollapsed;
    return held_.status.reason == caching::Reason::kNone ? CacheResult::kHit : CacheResult::kStale;
  }
  if (was_validated()) return CacheResult::kValidated;
  return is_new() ? CacheResult::kMiss : CacheResult::kPass;
}

}   // namespace proxyd::proxy
