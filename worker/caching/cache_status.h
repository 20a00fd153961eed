#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "worker/caching/reason.h"
#include "worker/http/arena.h"

namespace proxyd::caching {

// What this cache did for a response, as its member of Cache-Status (RFC 9211). The member is appended to what caches
// nearer to the origin said, as a line of its own.
struct CacheStatus {
  bool hit = false;
  Reason reason = Reason::kNone;   // why the request went forward; without a hit
  int forward_status = 0;          // what the origin answered; 0 when nothing did
  std::optional<int64_t> ttl;      // seconds; negative when stale
  bool stored = false;
  bool collapsed = false;          // it waited for another's request; in vain, when it went forward all the same
  Reason detail = Reason::kNone;   // why it was not stored, or anything else worth a word
};

// The token of `fwd` that a reason stands for (RFC 9211 2.2): "uri-miss", "stale", "bypass", ...
std::string_view forward_token(Reason reason);

// "proxyd; hit; ttl=30", "proxyd; fwd=stale; fwd-status=304; stored; collapsed; detail=...". It names no key.
std::string_view cache_status_member(const CacheStatus& status, http::Arena& arena);

}   // namespace proxyd::caching
