#include "worker/caching/freshness.h"

#include <algorithm>

#include "worker/http/date.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

using http::FieldName;

constexpr int64_t kMostHeuristic = 24 * 3600 * int64_t{1000};

// RFC 9110 15.1, or any status that the response calls public (RFC 9111 4.2.2). What we can't use whole (206) is not
// guessed about.
bool may_be_guessed(int status, const CacheControl& control) {
  switch (status) {
    case 200:
    case 203:
    case 204:
    case 300:
    case 301:
    case 308:
    case 404:
    case 405:
    case 410:
    case 414:
    case 501: return true;
    default: return control.is_public;
  }
}

// Until Expires, from Date on. The least of several; what is no date lies in the past (RFC 9111 5.3).
std::optional<int64_t> expires_lifetime(const http::Fields& fields, Moment received) {
  if (!fields.has(FieldName::kExpires)) return std::nullopt;
  const int64_t now = received.wall_seconds();
  const int64_t date = date_of(fields, received);
  std::optional<int64_t> least;
  for (const http::Field& field : fields) {
    if (field.known != FieldName::kExpires) continue;
    const std::optional<int64_t> expires = http::parse_date(field.value, now);
    const int64_t seconds = expires ? std::clamp<int64_t>(*expires - date, 0, kMostSeconds) : 0;
    least = std::min(least.value_or(seconds), seconds);
  }
  return *least * 1000;
}

Lifetime origin_lifetime(const http::Fields& fields, const ResponseDirectives& directives, const Policy& policy,
                         Moment received) {
  const CacheControl& control = directives.control;
  if (control.s_maxage != CacheControl::kAbsent) return {control.s_maxage * 1000, LifetimeSource::kSMaxage};
  if (control.max_age != CacheControl::kAbsent) return {control.max_age * 1000, LifetimeSource::kMaxAge};
  if (directives.targeted || policy.ignore_expires) return {};
  const std::optional<int64_t> expires = expires_lifetime(fields, received);
  return expires ? Lifetime{*expires, LifetimeSource::kExpires} : Lifetime{};
}

Lifetime heuristic_lifetime(const http::Fields& fields, Moment received) {
  const http::Field* field = fields.find(FieldName::kLastModified);
  const std::optional<int64_t> modified =
      field ? http::parse_date(field->value, received.wall_seconds()) : std::nullopt;
  const int64_t date = date_of(fields, received);
  if (!modified || *modified >= date) return {};
  return {std::min((date - *modified) * 100, kMostHeuristic), LifetimeSource::kHeuristic};
}

// A lifetime of our own, where the origin gave none and nothing speaks against sharing.
Lifetime own_lifetime(const http::ResponseHead& response, const CacheControl& control,
                      const http::Fields& request_fields, const Policy& policy, Moment received) {
  if (request_fields.has(FieldName::kCookie) && !policy.knows_cookies()) return {};
  if (!control.any && !policy.ignore_pragma && has_pragma_no_cache(response.fields)) return {};
  if (const std::optional<int64_t> lifetime = policy.default_ttl_of(response.status))
    return {*lifetime, LifetimeSource::kDefaultTtl};
  if (!policy.heuristic || !may_be_guessed(response.status, control)) return {};
  return heuristic_lifetime(response.fields, received);
}

}   // namespace

std::string_view to_string(LifetimeSource source) {
  switch (source) {
    case LifetimeSource::kNone: return "none";
    case LifetimeSource::kSMaxage: return "s-maxage";
    case LifetimeSource::kMaxAge: return "max-age";
    case LifetimeSource::kExpires: return "expires";
    case LifetimeSource::kDefaultTtl: return "default_ttl";
    case LifetimeSource::kHeuristic: return "heuristic";
  }
  return "none";
}

int64_t parse_age(const http::Fields& fields) {
  if (!fields.has(FieldName::kAge)) return 0;
  for (const http::Field& field : fields) {
    if (field.known != FieldName::kAge) continue;
    http::ListMembers members(field.value);
    std::string_view member;
    while (members.next(member)) {
      if (const std::optional<int64_t> age = parse_delta_seconds(member)) return *age;
    }
  }
  return 0;
}

int64_t date_of(const http::Fields& fields, Moment received) {
  const int64_t now = received.wall_seconds();
  const http::Field* field = fields.find(FieldName::kDate);
  return field ? http::parse_date(field->value, now).value_or(now) : now;
}

int64_t corrected_initial_age(const http::Fields& fields, Moment sent, Moment received) {
  const int64_t apparent = received.wall - date_of(fields, received) * 1000 - 999;
  const int64_t delay = std::max<int64_t>(0, received.steady - sent.steady);
  return std::max({int64_t{0}, apparent, parse_age(fields) * 1000 + delay});
}

Lifetime lifetime_of(const http::ResponseHead& response, const ResponseDirectives& directives,
                     const http::Fields& request_fields, const Policy& policy, Moment received) {
  Lifetime lifetime = origin_lifetime(response.fields, directives, policy, received);
  if (lifetime.source == LifetimeSource::kNone)
    lifetime = own_lifetime(response, directives.control, request_fields, policy, received);
  if (lifetime.duration > 0) lifetime.duration = std::min(std::max(lifetime.duration, policy.min_ttl), policy.max_ttl);
  return lifetime;
}

}   // namespace proxyd::caching
