#pragma once

#include <cstdint>

#include "worker/http/field_name.h"

namespace proxyd::http2 {

// Fields that belong to a connection, which HTTP/2 has other words for (RFC 9113 8.2.2): never sent. TE goes when it
// says "trailers".
inline constexpr uint64_t kOfConnections =
    http::bit_of(http::FieldName::kConnection) | http::bit_of(http::FieldName::kKeepAlive) |
    http::bit_of(http::FieldName::kProxyConnection) | http::bit_of(http::FieldName::kTransferEncoding) |
    http::bit_of(http::FieldName::kUpgrade) | http::bit_of(http::FieldName::kHttp2Settings);

}   // namespace proxyd::http2
