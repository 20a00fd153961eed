#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "worker/caching/policy.h"
#include "worker/caching/targeted.h"
#include "worker/http/head.h"

namespace proxyd::caching {

// One instant by two clocks, in milliseconds: one that only goes forward and is the same in every process of the
// machine (ages are counted by it, so that no step of the wall clock makes a response immortal), and the wall clock
// (what Date and Expires are held against).
struct Moment {
  int64_t steady = 0;
  int64_t wall = 0;   // since 1970

  int64_t wall_seconds() const { return wall >= 0 ? wall / 1000 : (wall - 999) / 1000; }
};

inline constexpr int64_t kNoTime = INT64_MIN;

enum class LifetimeSource : uint8_t { kNone, kSMaxage, kMaxAge, kExpires, kDefaultTtl, kHeuristic };

// "s-maxage", "default_ttl"
std::string_view to_string(LifetimeSource source);

// What a stored response keeps beside its fields, in milliseconds where nothing else is said. Fixed in size and
// trivially copyable: it lies in shared memory. Reading it costs no look at any field.
struct Freshness {
  enum Flag : uint16_t {
    kMustRevalidate =
        1,            // never stale: must-revalidate, proxy-revalidate, or s-maxage without a stale-* of the origin
    kNoCache = 2,     // never without asking the origin
    kImmutable = 4,   // RFC 8246
    kHeuristic = 8,   // the lifetime is ours, not the origin's
    kHasEtag = 16,
    kHasStrongEtag = 32,
    kHasLastModified = 64,
    kPartial = 128,    // a 206
    kTargeted = 256,   // a targeted field decided (RFC 9213)
  };

  int64_t response_time = 0;   // steady: when the head was received, or freshened
  int64_t initial_age = 0;     // corrected (RFC 9111 4.2.3)
  int64_t lifetime = 0;
  int64_t stale_while_revalidate = 0;   // how long beyond the lifetime; 0: not
  int64_t stale_if_error = 0;
  int64_t date = kNoTime;            // seconds since 1970: Date, or when it was received
  int64_t last_modified = kNoTime;   // seconds since 1970; kNoTime when there is none
  uint16_t status = 0;
  uint16_t flags = 0;
  LifetimeSource source = LifetimeSource::kNone;
  uint8_t reserved = 0;
  uint16_t took = 0;   // ms from the question to the answer, rounded up; the most: that or longer

  // Not later than when the origin was asked; long before where that took very long.
  int64_t asked_at() const { return took == UINT16_MAX ? kNoTime : response_time - took; }
  bool has(Flag flag) const { return (flags & flag) != 0; }
  bool has_validator() const { return (flags & (kHasEtag | kHasLastModified)) != 0; }

  // RFC 9111 4.2.3.
  int64_t age(int64_t steady_now) const { return initial_age + std::max<int64_t>(0, steady_now - response_time); }
  // Negative: stale for so long.
  int64_t remaining(int64_t steady_now) const { return lifetime - age(steady_now); }
  // The steady instant at which it becomes stale.
  int64_t fresh_until() const { return response_time + lifetime - initial_age; }

  bool operator==(const Freshness&) const = default;
};
static_assert(std::is_trivially_copyable_v<Freshness> && sizeof(Freshness) == 64);

// The first valid member of Age (RFC 9111 5.1), in seconds.
int64_t parse_age(const http::Fields& fields);

// The response's Date, or when it was received if it has none that is one; seconds since 1970.
int64_t date_of(const http::Fields& fields, Moment received);

// How old the response was on arrival, in milliseconds (RFC 9111 4.2.3). Date counts whole seconds, so the one that it
// names may have ended just now.
int64_t corrected_initial_age(const http::Fields& fields, Moment sent, Moment received);

struct Lifetime {
  int64_t duration = 0;   // milliseconds
  LifetimeSource source = LifetimeSource::kNone;
};

// How long a response is fresh (RFC 9111 4.2.1), clamped by the policy; what the origin did not give (default_ttl,
// heuristic: 10 % of the time since Last-Modified, a day at most) is not applied to a request with cookies unless the
// policy knows about them.
Lifetime lifetime_of(const http::ResponseHead& response, const ResponseDirectives& directives,
                     const http::Fields& request_fields, const Policy& policy, Moment received);

}   // namespace proxyd::caching
