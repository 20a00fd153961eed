#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyd::caching {

// Why a request was not answered from the cache alone, or its answer was not stored: one word each, the same in
// Cache-Status (detail), in the access log, in the metric per route and in the answer to a lookup.
enum class Reason : uint8_t {
  kNone,
  // the request takes no part
  kMethod,
  kMethodOverride,
  kRequestContent,
  kEncodedTraversal,
  kPrecondition,
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
};

inline constexpr size_t kReasonCount = static_cast<size_t>(Reason::kExpired) + 1;

// "request_no_store"; "none" for kNone.
std::string_view to_string(Reason reason);

}   // namespace proxyd::caching
