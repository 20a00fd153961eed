#include "worker/proxy/grpc_answer.h"

#include "shared/base/bytes.h"
#include "worker/http/status.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;

constexpr std::string_view kType = "application/grpc";

// gRPC's own numbers, as its mapping from HTTP has them but for what we know better: who can't be reached is
// unavailable, who is late has exceeded the deadline.
std::string_view grpc_status_of(int status) {
  switch (status) {
    case 400: return "13";   // INTERNAL
    case 401: return "16";   // UNAUTHENTICATED
    case 403: return "7";    // PERMISSION_DENIED
    case 404: return "12";   // UNIMPLEMENTED
    case 408:
    case 504: return "4";   // DEADLINE_EXCEEDED
    case 429: return "8";   // RESOURCE_EXHAUSTED
    case 502:
    case 503: return "14";   // UNAVAILABLE
    default: return "2";     // UNKNOWN
  }
}

// What is no visible ASCII, and the percent sign itself.
std::string_view percent_encoded(std::string_view text, http::Arena& arena) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  char* const to = arena.allocate_text(text.size() * 3);
  char* at = to;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      *at++ = c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    *at++ = '%';
    *at++ = kDigits[octet >> 4];
    *at++ = kDigits[octet & 15];
  }
  return {to, static_cast<size_t>(at - to)};
}

}   // namespace

bool is_grpc(const http::RequestHead& head) {
  if (head.version != http::Version::kHttp2 || head.method != http::Method::kPost) return false;
  if (!head.fields.has(FieldName::kContentType)) return false;
  const std::string_view type = head.fields.value(FieldName::kContentType);
  if (type.size() < kType.size() || !equals_ignoring_case(type.substr(0, kType.size()), kType)) return false;
  return type.size() == kType.size() || type[kType.size()] == '+' || type[kType.size()] == ';';
}

http::Fields make_grpc_answer(int status, ProxyError error, std::string_view detail, const http::Fields& request_fields,
                              http::Arena& arena) {
  const std::string_view token = error == ProxyError::kNone ? std::string_view() : token_of(error);
  const std::string_view what = token.empty() ? http::reason_phrase(status) : token;
  const std::string_view message = detail.empty() ? what : arena.concat(what, ": ", detail);
  http::Fields fields(arena);
  fields.add(FieldName::kContentType, arena.copy(request_fields.value(FieldName::kContentType)));
  const bool unreachable = error == ProxyError::kConnectionTimeout;   // which a client may well try again
  fields.add("Grpc-Status", grpc_status_of(unreachable ? 503 : status));
  fields.add("Grpc-Message", percent_encoded(message, arena));
  fields.add(FieldName::kCacheControl, "no-store");
  if (!token.empty()) {
    const std::string_view more = detail.empty() ? detail : arena.concat("; details=\"", detail, "\"");
    fields.add(FieldName::kProxyStatus, arena.concat("proxyd; error=", token, more));
  }
  return fields;
}

}   // namespace proxyd::proxy
