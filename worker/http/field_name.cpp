#include "worker/http/field_name.h"

#include "shared/base/bytes.h"

namespace proxyd::http {
namespace {

constexpr std::array<std::string_view, kFieldNameCount> kNames = {
    "",
    "Accept",
    "Accept-Encoding",
    "Age",
    "Authorization",
    "Cache-Control",
    "Cache-Status",
    "CDN-Loop",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Proxy-Status",
    "Range",
    "Referer",
    "Retry-After",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Server",
    "Set-Cookie",
    "TE",
    "traceparent",
    "tracestate",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Original-URL",
    "X-Real-IP",
    "X-Request-Id",
    "X-Rewrite-URL",
};

constexpr size_t kTableSize = 512;

// Perfect for the names above: their length and five of their letters, spread by this multiplier. A new name that
// collides fails the assertion below; then try another odd multiplier.
constexpr uint32_t kMultiplier = 0xD5F4B3B3u;

constexpr uint32_t hash_of(std::string_view name) {
  const auto letter = [name](size_t at) { return static_cast<uint32_t>(static_cast<uint8_t>(name[at])) | 0x20u; };
  const size_t size = name.size();
  const uint32_t mixed = (static_cast<uint32_t>(size) << 24) ^ (letter(0) << 16) ^ (letter(size / 2) << 8) ^
                         letter(size - 1) ^ (letter(size * 3 / 4) << 12) ^ (letter(size / 4) << 20);
  return (mixed * kMultiplier) >> 23;
}

using Table = std::array<uint8_t, kTableSize>;

constexpr Table make_table() {
  Table table{};
  for (size_t i = 1; i < kNames.size(); ++i) table[hash_of(kNames[i])] = static_cast<uint8_t>(i);
  return table;
}

constexpr Table kTable = make_table();

constexpr bool every_name_has_its_own_place() {
  for (size_t i = 1; i < kNames.size(); ++i) {
    if (kTable[hash_of(kNames[i])] != i) return false;
  }
  return true;
}
static_assert(every_name_has_its_own_place());

}  // namespace

FieldName field_name_from(std::string_view name) {
  if (name.empty()) return FieldName::kOther;
  const uint8_t index = kTable[hash_of(name)];
  return equals_ignoring_case(kNames[index], name) ? static_cast<FieldName>(index) : FieldName::kOther;
}

std::string_view to_string(FieldName name) { return kNames[static_cast<size_t>(name)]; }

}  // namespace proxyd::http
