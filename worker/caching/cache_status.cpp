#include "worker/caching/cache_status.h"

namespace proxyd::caching {
namespace {

constexpr size_t kMostKeyShown = 256;

// A String of a structured field (RFC 9651 3.3.3).
std::string_view quoted(std::string_view text, http::Arena& arena) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  text = text.substr(0, kMostKeyShown);
  char* const begin = arena.allocate_text(text.size() * 3 + 2);
  char* to = begin;
  *to++ = '"';
  for (const char c : text) {
    if (c < 0x20 || c == 0x7F) {   // and all beyond ASCII, which are negative where char is signed
      const auto octet = static_cast<uint8_t>(c);
      *to++ = '%';
      *to++ = kDigits[octet >> 4];
      *to++ = kDigits[octet & 15];
      continue;
    }
    if (c == '"' || c == '\\') *to++ = '\\';
    *to++ = c;
  }
  *to++ = '"';
  return {begin, static_cast<size_t>(to - begin)};
}

std::string_view signed_number(int64_t value, http::Arena& arena) {
  if (value >= 0) return arena.number(static_cast<uint64_t>(value));
  return arena.concat("-", arena.number(static_cast<uint64_t>(-value)));
}

}   // namespace

std::string_view forward_token(Reason reason) {
  switch (reason) {
    case Reason::kMethod: return "method";
    case Reason::kMiss: return "uri-miss";
    case Reason::kVaryMiss: return "vary-miss";
    case Reason::kPartial: return "partial";
    case Reason::kStale:
    case Reason::kSoftPurged:
    case Reason::kNoCache: return "stale";
    case Reason::kRequestNoCache:
    case Reason::kRequestMaxAge:
    case Reason::kRequestMinFresh: return "request";
    case Reason::kNone: return "miss";
    default: return "bypass";
  }
}

std::string_view cache_status_member(const CacheStatus& status, http::Arena& arena) {
  std::string_view forward;
  std::string_view forward_status;
  if (status.hit) {
    forward = "; hit";
  } else {
    forward = arena.concat("; fwd=", forward_token(status.reason));
    if (status.forward_status > 0)
      forward_status = arena.concat("; fwd-status=", arena.number(static_cast<uint64_t>(status.forward_status)));
  }
  const std::string_view ttl = status.ttl ? arena.concat("; ttl=", signed_number(*status.ttl, arena)) : "";
  const std::string_view key = status.key.empty() ? "" : arena.concat("; key=", quoted(status.key, arena));
  const std::string_view detail =
      status.detail == Reason::kNone ? "" : arena.concat("; detail=", to_string(status.detail));
  return arena.concat("proxyd", forward, forward_status, ttl, status.stored ? "; stored" : "",
                      status.collapsed ? "; collapsed" : "", key, detail);
}

}   // namespace proxyd::caching
