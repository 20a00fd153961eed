#include "worker/caching/reuse.h"

#include <algorithm>

namespace proxyd::caching {
namespace {

// Why the request forbids what would do for others. Within its lifetime an immutable response is not asked about for
// the sake of its age, as a reload does (RFC 8246 2).
Reason refused_by_request(const Freshness& stored, const CacheControl& request, const Reuse& reuse, bool fresh) {
  if (request.no_cache) return Reason::kRequestNoCache;
  const bool too_old = request.max_age == 0 || (request.max_age > 0 && reuse.age > request.max_age * 1000);
  if (too_old && !(fresh && stored.has(Freshness::kImmutable))) return Reason::kRequestMaxAge;
  if (request.min_fresh > 0 && reuse.remaining < request.min_fresh * 1000) return Reason::kRequestMinFresh;
  return Reason::kNone;
}

Use use_when_stale(const Freshness& stored, const CacheControl& request, int64_t staleness, bool soft_purged) {
  const bool accepts_stale = request.max_stale != CacheControl::kAbsent && staleness <= request.max_stale * 1000;
  if (accepts_stale && !soft_purged && !stored.has(Freshness::kMustRevalidate)) return Use::kServe;
  if (stored.stale_while_revalidate > 0 && staleness <= stored.stale_while_revalidate) return Use::kServeAndRevalidate;
  return use_of_nothing(request);
}

}   // namespace

CacheControl request_directives(const http::Fields& request_fields, const Policy& policy) {
  CacheControl directives;
  if (!policy.ignore_cache_control && request_fields.has(http::FieldName::kCacheControl))
    directives = parse_request_directives(request_fields);
  else if (!policy.ignore_pragma)
    directives.no_cache = has_pragma_no_cache(request_fields);
  return directives;
}

Reuse decide_reuse(const Freshness& stored, const CacheControl& request, bool soft_purged, int64_t steady_now) {
  Reuse reuse;
  reuse.age = stored.age(steady_now);
  reuse.remaining = stored.lifetime - reuse.age;
  const bool fresh = reuse.remaining > 0 && !soft_purged;
  reuse.reason = stored.has(Freshness::kNoCache) ? Reason::kNoCache : refused_by_request(stored, request, reuse, fresh);
  if (reuse.reason != Reason::kNone) {
    reuse.use = use_of_nothing(request);
  } else if (!fresh) {
    reuse.reason = soft_purged ? Reason::kSoftPurged : Reason::kStale;
    reuse.use = use_when_stale(stored, request, std::max<int64_t>(0, -reuse.remaining), soft_purged);
  }
  return reuse;
}

bool was_asked_since(const Freshness& stored, const Reuse& reuse, int64_t began) {
  const bool wanted_by_request = reuse.reason == Reason::kRequestNoCache || reuse.reason == Reason::kRequestMaxAge;
  return wanted_by_request && reuse.remaining > 0 && stored.asked_at() >= began;
}

bool may_serve_stale_if_error(const Freshness& stored, const CacheControl& request, int64_t steady_now) {
  if (request.no_cache || stored.has(Freshness::kNoCache)) return false;
  int64_t window = stored.stale_if_error;
  if (!stored.has(Freshness::kMustRevalidate)) window = std::max(window, request.stale_if_error * 1000);
  return window > 0 && -stored.remaining(steady_now) <= window;
}

}   // namespace proxyd::caching
