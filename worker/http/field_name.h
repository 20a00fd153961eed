#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace proxyd::http {

// Field names that a proxy acts on, as numbers; every other name is kOther and compared as text. At most 63, so that a
// section knows by one word which of them it holds.
enum class FieldName : uint8_t {
  kOther,
  kAccept,
  kAcceptEncoding,
  kAcceptRanges,
  kAge,
  kAuthorization,
  kCacheControl,
  kCacheStatus,
  kCdnLoop,
  kConnection,
  kContentEncoding,
  kContentLength,
  kContentRange,
  kContentType,
  kCookie,
  kDate,
  kEtag,
  kExpect,
  kExpires,
  kForwarded,
  kHost,
  kHttp2Settings,
  kIfMatch,
  kIfModifiedSince,
  kIfNoneMatch,
  kIfRange,
  kIfUnmodifiedSince,
  kKeepAlive,
  kLastModified,
  kLocation,
  kMaxForwards,
  kOrigin,
  kPragma,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kProxyStatus,
  kRange,
  kReferer,
  kRetryAfter,
  kSecWebsocketAccept,
  kSecWebsocketKey,
  kSecWebsocketVersion,
  kServer,
  kSetCookie,
  kTe,
  kTraceparent,
  kTracestate,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kVary,
  kVia,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXOriginalUrl,
  kXRealIp,
  kXRequestId,
  kXRewriteUrl,
};

inline constexpr size_t kFieldNameCount = static_cast<size_t>(FieldName::kXRewriteUrl) + 1;
static_assert(kFieldNameCount <= 64);

// The number of a name, whatever its case (RFC 9110 5.1).
FieldName field_name_from(std::string_view name);

// As we write it, "Content-Length"; empty for kOther.
std::string_view to_string(FieldName name);

// As HTTP/2 writes it, "content-length" (RFC 9113 8.2.1).
std::string_view to_lower_string(FieldName name);

// One bit a name; bit 0 stands for all others.
constexpr uint64_t bit_of(FieldName name) { return uint64_t{1} << static_cast<unsigned>(name); }

}   // namespace proxyd::http
