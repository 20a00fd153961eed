#include "worker/caching/cache_status.h"

namespace proxyd::caching {
namespace {

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
  const std::string_view detail =
      status.detail == Reason::kNone ? "" : arena.concat("; detail=", to_string(status.detail));
  const std::string_view collapsed = !status.collapsed           ? ""
                                     : status.forward_status > 0 ? "; collapsed=?0"
                                                                 : "; collapsed";
  return arena.concat("proxyd", forward, forward_status, ttl, status.stored ? "; stored" : "", collapsed, detail);
}

}   // namespace proxyd::caching
