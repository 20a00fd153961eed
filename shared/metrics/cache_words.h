#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyd::metrics {

// What the cache was for a request, the same word in the access log and as a label. `stale`: served although stale, by
// leave of origin or policy; `collapsed`: it followed another's fetch; `pass`: the origin's answer went by; `bypass`:
// it took no part; `none`, of which nothing is said: the route caches nothing.
enum class CacheResult : uint8_t { kNone, kHit, kStale, kCollapsed, kValidated, kMiss, kPass, kBypass };

inline constexpr std::array<std::string_view, 8> kCacheResults = {"",          "hit",  "stale", "collapsed",
                                                                  "validated", "miss", "pass",  "bypass"};
static_assert(kCacheResults.size() == static_cast<size_t>(CacheResult::kBypass) + 1);

constexpr std::string_view to_string(CacheResult result) { return kCacheResults[static_cast<size_t>(result)]; }

// The client was answered by what was stored, or by what another fetched.
constexpr bool is_served(CacheResult result) {
  return result == CacheResult::kHit || result == CacheResult::kStale || result == CacheResult::kCollapsed;
}

// Why a request was not answered from the cache alone, or its answer was not stored: one word each, the same in
// the access log, in the metric per route and in the answer to a lookup; in Cache-Status as `detail`, or folded into
// `fwd`.
enum class CacheReason : uint8_t {
  kNone,
  // the request takes no part
  kMethod,
  kMethodOverride,
  kRequestContent,
  kEncodedTraversal,
  kPrecondition,
  kUpgrade,
  kBypassCookie,
  kBypassHeader,
  kBypassQuery,
  kBypassPath,
  kKeyTooLong,
  // nothing fits it
  kMiss,
  kVaryMiss,
  kPartial,
  // what is stored may not be used as it is
  kStale,
  kSoftPurged,
  kNoCache,
  kRequestNoCache,
  kRequestMaxAge,
  kRequestMinFresh,
  // the answer is not stored
  kStatus,
  kRequestNoStore,
  kNoStore,
  kPrivate,
  kNotUnderstood,
  kAuthorization,
  kForwardingFields,
  kVary,
  kVaryTooLong,
  kCoding,
  kSetCookie,
  kContentLocation,
  kContentRange,
  kTooLarge,
  kNoLifetime,
  kNoValidator,
  kExpired,
  kBusy,   // the cache, or this worker with what nobody waits for
};

inline constexpr std::array<std::string_view, 39> kCacheReasons = {"none",
                                                                   "method",
                                                                   "method_override",
                                                                   "request_content",
                                                                   "encoded_traversal",
                                                                   "precondition",
                                                                   "upgrade",
                                                                   "bypass_cookie",
                                                                   "bypass_header",
                                                                   "bypass_query",
                                                                   "bypass_path",
                                                                   "key_too_long",
                                                                   "miss",
                                                                   "vary_miss",
                                                                   "partial",
                                                                   "stale",
                                                                   "soft_purged",
                                                                   "no_cache",
                                                                   "request_no_cache",
                                                                   "request_max_age",
                                                                   "request_min_fresh",
                                                                   "status",
                                                                   "request_no_store",
                                                                   "no_store",
                                                                   "private",
                                                                   "not_understood",
                                                                   "authorization",
                                                                   "forwarding_fields",
                                                                   "vary",
                                                                   "vary_too_long",
                                                                   "coding",
                                                                   "set_cookie",
                                                                   "content_location",
                                                                   "content_range",
                                                                   "too_large",
                                                                   "no_lifetime",
                                                                   "no_validator",
                                                                   "expired",
                                                                   "busy"};
static_assert(kCacheReasons.size() == static_cast<size_t>(CacheReason::kBusy) + 1);

// "request_no_store"; "none" for kNone.
constexpr std::string_view to_string(CacheReason reason) { return kCacheReasons[static_cast<size_t>(reason)]; }

}   // namespace proxyd::metrics
