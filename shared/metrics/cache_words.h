#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

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

// By reason.
inline constexpr std::array kCacheReasons = [] {
  using enum CacheReason;
  constexpr std::pair<CacheReason, std::string_view> kWords[] = {
      {kNone, "none"},
      {kMethod, "method"},
      {kMethodOverride, "method_override"},
      {kRequestContent, "request_content"},
      {kEncodedTraversal, "encoded_traversal"},
      {kPrecondition, "precondition"},
      {kUpgrade, "upgrade"},
      {kBypassCookie, "bypass_cookie"},
      {kBypassHeader, "bypass_header"},
      {kBypassQuery, "bypass_query"},
      {kBypassPath, "bypass_path"},
      {kKeyTooLong, "key_too_long"},
      {kMiss, "miss"},
      {kVaryMiss, "vary_miss"},
      {kPartial, "partial"},
      {kStale, "stale"},
      {kSoftPurged, "soft_purged"},
      {kNoCache, "no_cache"},
      {kRequestNoCache, "request_no_cache"},
      {kRequestMaxAge, "request_max_age"},
      {kRequestMinFresh, "request_min_fresh"},
      {kStatus, "status"},
      {kRequestNoStore, "request_no_store"},
      {kNoStore, "no_store"},
      {kPrivate, "private"},
      {kNotUnderstood, "not_understood"},
      {kAuthorization, "authorization"},
      {kForwardingFields, "forwarding_fields"},
      {kVary, "vary"},
      {kVaryTooLong, "vary_too_long"},
      {kCoding, "coding"},
      {kSetCookie, "set_cookie"},
      {kContentLocation, "content_location"},
      {kContentRange, "content_range"},
      {kTooLarge, "too_large"},
      {kNoLifetime, "no_lifetime"},
      {kNoValidator, "no_validator"},
      {kExpired, "expired"},
      {kBusy, "busy"},
  };
  std::array<std::string_view, std::size(kWords)> words;
  for (const auto& [reason, word] : kWords) words[static_cast<size_t>(reason)] = word;
  return words;
}();
static_assert(kCacheReasons.size() == static_cast<size_t>(CacheReason::kBusy) + 1 &&
              std::find(kCacheReasons.begin(), kCacheReasons.end(), "") == kCacheReasons.end());

// "request_no_store"; "none" for kNone.
constexpr std::string_view to_string(CacheReason reason) { return kCacheReasons[static_cast<size_t>(reason)]; }

}   // namespace proxyd::metrics
