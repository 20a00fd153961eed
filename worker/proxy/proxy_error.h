#pragma once

#include <cstdint>
#include <string_view>

#include "shared/metrics/error_tokens.h"

namespace proxyd::proxy {

// Why we answer instead of the origin, in the order of metrics::kErrorTokens: the same word in Proxy-Status (RFC 9209),
// in the access log and in upstream_errors_total.
enum class ProxyError : uint8_t {
  kNone,
  kDestinationUnavailable,
  kDnsError,
  kConnectionRefused,
  kConnectionTimeout,
  kResponseTimeout,
  kProtocolError,
  kResponseIncomplete,
  kTlsCertificateError,
  kConnectionLimit,
  kRequestError,
  kRequestDenied,
  kInternalError,
  kLoop,
  kClientGone
};
static_assert(static_cast<size_t>(ProxyError::kClientGone) + 1 == metrics::kErrorTokens.size());

constexpr std::string_view token_of(ProxyError error) { return metrics::kErrorTokens[static_cast<size_t>(error)]; }

// The status that goes with it.
constexpr int status_of(ProxyError error) {
  switch (error) {
    case ProxyError::kDestinationUnavailable:
    case ProxyError::kConnectionLimit: return 503;
    case ProxyError::kConnectionTimeout:
    case ProxyError::kResponseTimeout: return 504;
    case ProxyError::kRequestError: return 400;
    case ProxyError::kRequestDenied: return 403;
    case ProxyError::kInternalError: return 500;
    case ProxyError::kLoop: return 508;
    default: return 502;
  }
}

}   // namespace proxyd::proxy
