#pragma once

#include <array>
#include <string_view>

namespace proxyd::metrics {

// The error tokens (RFC 9209 2.3 where it has one): the same word in Proxy-Status, in the access log and
// as the label of upstream_errors_total. `client_gone` is ours: the client left before the answer.
inline constexpr std::array<std::string_view, 15> kErrorTokens = {"none",
                                                                  "destination_unavailable",
                                                                  "dns_error",
                                                                  "connection_refused",
                                                                  "connection_timeout",
                                                                  "http_response_timeout",
                                                                  "http_protocol_error",
                                                                  "http_response_incomplete",
                                                                  "tls_certificate_error",
                                                                  "connection_limit_reached",
                                                                  "http_request_error",
                                                                  "http_request_denied",
                                                                  "proxy_internal_error",
                                                                  "proxy_loop_detected",
                                                                  "client_gone"};

}   // namespace proxyd::metrics
