#pragma once

#include <cstdint>

#include "shared/base/result.h"
#include "worker/http/head.h"

namespace proxyd::http1 {

// How long the content of a request is (RFC 9112 6.3), strictly: what two readers could understand differently is
// refused. Engine code; the only place that decides framing of requests.
Result<http::ContentLength, http::Refusal> frame_request(const http::RequestHead& head);

// The same for a response to `method`. HEAD, 1xx, 204 and 304 have none, whatever their fields say.
Result<http::ContentLength, http::Refusal> frame_response(const http::ResponseHead& head, http::Method method);

// What the Connection fields of a section name (RFC 9110 7.6.1).
http::ConnectionOptions connection_options(const http::Fields& fields);

// Whether the sender of a head with these options lets the connection live on (RFC 9112 9.3).
inline bool is_persistent(http::Version version, const http::ConnectionOptions& options) {
  return !options.close && (version != http::Version::kHttp10 || options.names(http::FieldName::kKeepAlive));
}

}   // namespace proxyd::http1
