#pragma once

#include "worker/caching/freshness.h"
#include "worker/caching/reason.h"

namespace proxyd::caching {

// What a request says about reuse: Cache-Control, or Pragma: no-cache where there is none (RFC 9111 5.4), unless the
// policy ignores them. Read once a request.
CacheControl request_directives(const http::Fields& request_fields, const Policy& policy);

enum class Use : uint8_t {
  kServe,                // as it is
  kServeAndRevalidate,   // as it is, while one request in the background asks the origin (RFC 5861 3)
  kAskOrigin,            // on a condition where there is a validator, else for all of it
  kGatewayTimeout,       // 504: only-if-cached forbids to ask (RFC 9111 5.2.1.7)
};

// What a stored response that fits the request is good for (RFC 9111 4). `reason` says why it is not simply fresh. A
// stored part fits only if it holds the range that is asked for (range_within); else the reason is kPartial.
struct Reuse {
  Use use = Use::kServe;
  Reason reason = Reason::kNone;
  int64_t age = 0;         // milliseconds
  int64_t remaining = 0;   // of the lifetime; negative when stale

  bool served() const { return use == Use::kServe || use == Use::kServeAndRevalidate; }
};

// `soft_purged`: stale as of now, whatever its lifetime.
Reuse decide_reuse(const Freshness& stored, const CacheControl& request, bool soft_purged, int64_t steady_now);

// The answer to a request for which nothing is stored.
constexpr Use use_of_nothing(const CacheControl& request) {
  return request.only_if_cached ? Use::kGatewayTimeout : Use::kAskOrigin;
}

// A request that wants to be sure of a response came before the origin was asked for it: that was for this one as well.
// `began`: the request, steady.
bool was_asked_since(const Freshness& stored, const Reuse& reuse, int64_t began);

// Whether the stored response may be served though an origin can't be reached or answers with such a status (RFC 5861
// 4). A client that asked for validation gets the error.
bool may_serve_stale_if_error(const Freshness& stored, const CacheControl& request, int64_t steady_now);

constexpr bool is_status_for_stale_if_error(int status) {
  return status == 500 || status == 502 || status == 503 || status == 504;
}

// As Age says it (RFC 9111 5.1).
constexpr int64_t age_in_seconds(int64_t milliseconds) {
  return milliseconds / 1000 < kMostSeconds ? milliseconds / 1000 : kMostSeconds;
}

}   // namespace proxyd::caching
