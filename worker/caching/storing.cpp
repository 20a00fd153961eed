#include "worker/caching/storing.h"

#include <algorithm>

#include "worker/caching/accept.h"
#include "worker/caching/vary.h"
#include "worker/http/date.h"
#include "worker/http/list.h"
#include "worker/http/range.h"

namespace proxyd::caching {
namespace {

using http::bit_of;
using http::FieldName;
using http::Method;

constexpr uint64_t kNeverStored =
    bit_of(FieldName::kConnection) | bit_of(FieldName::kKeepAlive) | bit_of(FieldName::kProxyConnection) |
    bit_of(FieldName::kTe) | bit_of(FieldName::kTrailer) | bit_of(FieldName::kTransferEncoding) |
    bit_of(FieldName::kUpgrade) | bit_of(FieldName::kHttp2Settings) | bit_of(FieldName::kProxyAuthenticate) |
    bit_of(FieldName::kProxyAuthorization) | bit_of(FieldName::kAge);

// Statuses whose caching rules we keep (RFC 9111 5.2.2.3).
bool is_understood(int status) {
  switch (status) {
    case 200:
    case 203:
    case 204:
    case 206:
    case 300:
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
    case 400:
    case 403:
    case 404:
    case 405:
    case 410:
    case 414:
    case 451:
    case 500:
    case 501:
    case 502:
    case 503:
    case 504: return true;
    default: return false;
  }
}

// A final response that stands for itself: not one that speaks about a precondition or a range of another.
Reason check_status(const Answer& answer, const Policy& policy) {
  const int status = answer.response.status;
  if (status == 206) {
    if (policy.range != RangeMode::kPass) return Reason::kPartial;
    const http::Field* field = answer.response.fields.find(FieldName::kContentRange);
    const auto range = field ? http::parse_content_range(field->value) : std::nullopt;
    return range && !range->unsatisfied ? Reason::kNone : Reason::kContentRange;
  }
  const bool depends = status < 200 || status == 304 || status == 412 || status == 416;
  return depends || answer.response.content.kind == http::ContentLength::Kind::kTunnel ? Reason::kStatus
                                                                                       : Reason::kNone;
}

Reason check_method(const Answer& answer, const Policy& policy) {
  const Method method = answer.request.method;
  if (method == Method::kGet) return policy.has_method(method) ? Reason::kNone : Reason::kMethod;
  if (method != Method::kPost || !policy.has_method(method)) return Reason::kMethod;
  // The answer to a POST is that of a later GET if it says so (RFC 9110 9.3.3).
  const http::Fields& fields = answer.response.fields;
  const http::Field* location = fields.find("Content-Location");
  if (!location || answer.response.status != 200) return Reason::kContentLocation;
  const bool same = resolve(location->value, answer.url, fields.arena()) == answer.url;
  return same ? Reason::kNone : Reason::kContentLocation;
}

bool is_given_by_origin(const Freshness& freshness) {
  return freshness.lifetime > 0 && !freshness.has(Freshness::kHeuristic);
}

Reason check_directives(const Answer& answer, const CacheControl& control, const Policy& policy) {
  const http::Fields& request = answer.request.fields;
  if (!policy.ignore_cache_control && parse_request_directives(request).no_store) return Reason::kRequestNoStore;
  if (control.must_understand && !is_understood(answer.response.status)) return Reason::kNotUnderstood;
  if (control.no_store && !control.must_understand) return Reason::kNoStore;
  if (control.is_private) return Reason::kPrivate;
  const bool shareable =
      control.is_public || control.must_revalidate || control.s_maxage != CacheControl::kAbsent;   // RFC 9111 3.5
  if (request.has(FieldName::kAuthorization) && !shareable) return Reason::kAuthorization;
  return Reason::kNone;
}

Reason check_sharing(const Answer& answer, const Policy& policy, const std::optional<std::string_view>& vary) {
  const http::ResponseHead& response = answer.response;
  if (response.fields.has(FieldName::kSetCookie) && policy.store_set_cookie == StoreSetCookie::kNo)
    return Reason::kSetCookie;
  if (!vary) return Reason::kVary;
  if (!secondary_key(*vary, answer.request.fields)) return Reason::kVaryTooLong;
  if (names_field(*vary, "accept-encoding") && !holds_codings(coding_class(answer.request.fields), response.fields))
    return Reason::kCoding;
  if (response.content.kind == http::ContentLength::Kind::kKnown && response.content.bytes > policy.max_object)
    return Reason::kTooLarge;
  return Reason::kNone;
}

void take_validators(Freshness& freshness, const http::Fields& fields, Moment received) {
  const std::string_view etag = fields.value(FieldName::kEtag);
  if (!etag.empty()) freshness.flags |= Freshness::kHasEtag;
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') freshness.flags |= Freshness::kHasStrongEtag;
  const http::Field* field = fields.find(FieldName::kLastModified);
  const auto modified = field ? http::parse_date(field->value, received.wall_seconds()) : std::nullopt;
  if (!modified) return;
  freshness.last_modified = *modified;
  freshness.flags |= Freshness::kHasLastModified;
}

// How it may be used when stale (RFC 9111 4.2.4, RFC 5861): what the origin says goes before the policy, and what it
// forbids before both. s-maxage forbids as proxy-revalidate does (RFC 9111 5.2.2.10), but for an origin's own leave.
// The policy prolongs a lifetime; it gives none to what never had one.
void take_staleness(Freshness& freshness, const CacheControl& control, const Policy& policy) {
  const bool forbidden = control.must_revalidate || control.proxy_revalidate || control.no_cache;
  const bool shared_only = control.s_maxage != CacheControl::kAbsent;
  if (forbidden || shared_only) freshness.flags |= Freshness::kMustRevalidate;
  if (forbidden) return;
  const bool only_by_leave = shared_only || freshness.lifetime <= 0;
  const auto window = [only_by_leave](int64_t seconds, int64_t of_policy) {
    if (seconds != CacheControl::kAbsent) return seconds * 1000;
    return only_by_leave ? 0 : of_policy;
  };
  freshness.stale_while_revalidate = window(control.stale_while_revalidate, policy.stale_while_revalidate);
  freshness.stale_if_error = window(control.stale_if_error, policy.stale_if_error);
}

Freshness freshness_of(const Answer& answer, const ResponseDirectives& directives, const Lifetime& lifetime,
                       const Policy& policy) {
  const http::Fields& fields = answer.response.fields;
  Freshness freshness;
  freshness.response_time = answer.received.steady;
  const int64_t took = std::max<int64_t>(answer.received.steady - answer.sent.steady, 0);
  freshness.took = static_cast<uint16_t>(std::min<int64_t>(took + 1, UINT16_MAX));
  freshness.initial_age = corrected_initial_age(fields, answer.sent, answer.received);
  freshness.lifetime = lifetime.duration;
  freshness.source = lifetime.source;
  freshness.date = date_of(fields, answer.received);
  freshness.status = static_cast<uint16_t>(answer.response.status);
  const bool ours = lifetime.source == LifetimeSource::kDefaultTtl || lifetime.source == LifetimeSource::kHeuristic;
  if (ours) freshness.flags |= Freshness::kHeuristic;
  if (directives.control.no_cache) freshness.flags |= Freshness::kNoCache;
  if (directives.control.immutable) freshness.flags |= Freshness::kImmutable;
  if (directives.targeted) freshness.flags |= Freshness::kTargeted;
  if (answer.response.status == 206) freshness.flags |= Freshness::kPartial;
  take_validators(freshness, fields, answer.received);
  take_staleness(freshness, directives.control, policy);
  return freshness;
}

// It must be of use: fresh for a while, or able to be validated, or allowed when stale.
Reason check_use(const Freshness& freshness, const CacheControl& control) {
  const bool called_shareable = control.no_cache || control.is_public || control.must_revalidate;
  if (freshness.source == LifetimeSource::kNone && !called_shareable) return Reason::kNoLifetime;
  if (freshness.has_validator()) return Reason::kNone;
  if (control.no_cache || freshness.source == LifetimeSource::kNone) return Reason::kNoValidator;
  const int64_t beyond = std::max(freshness.stale_while_revalidate, freshness.stale_if_error);
  return freshness.lifetime + beyond > freshness.initial_age ? Reason::kNone : Reason::kExpired;
}

}   // namespace

Storing decide_keeping(const Answer& answer, const Policy& policy) {
  const http::Fields& fields = answer.response.fields;
  const ResponseDirectives directives = response_directives(fields, policy);
  Storing storing;
  storing.reason = check_status(answer, policy);
  if (storing.stored()) storing.reason = check_directives(answer, directives.control, policy);
  if (!storing.stored()) return storing;
  const std::optional<std::string_view> vary = vary_list(fields, policy);
  storing.reason = check_sharing(answer, policy, vary);
  if (!storing.stored()) return storing;
  storing.vary_list = *vary;
  const Lifetime lifetime = lifetime_of(answer.response, directives, answer.request.fields, policy, answer.received);
  storing.freshness = freshness_of(answer, directives, lifetime, policy);
  storing.reason = check_use(storing.freshness, directives.control);
  return storing;
}

Storing decide_storing(const Answer& answer, const Policy& policy) {
  const Reason reason = check_method(answer, policy);
  if (reason != Reason::kNone) return {reason, {}, {}};
  Storing storing = decide_keeping(answer, policy);
  const bool is_post = answer.request.method == Method::kPost;
  if (is_post && storing.stored() && !is_given_by_origin(storing.freshness)) storing.reason = Reason::kNoLifetime;
  return storing;
}

http::Fields stored_fields(const http::ResponseHead& response, const Policy& policy, Moment received) {
  http::Arena& arena = response.fields.arena();
  const bool strips_cookies = policy.store_set_cookie == StoreSetCookie::kStrip;
  const uint64_t unwanted =
      (kNeverStored | response.connection.fields | (strips_cookies ? bit_of(FieldName::kSetCookie) : 0)) &
      ~bit_of(FieldName::kOther);
  http::Fields fields(arena);
  for (const http::Field& field : response.fields) {
    if ((bit_of(field.known) & unwanted) == 0) fields.add(field);
  }
  fields.remove("Proxy-Authentication-Info");
  if (response.connection.other_fields > 0) {
    http::ListMembers options(response.fields.combined(FieldName::kConnection));
    std::string_view option;
    while (options.next(option)) {
      if (http::field_name_from(option) == FieldName::kOther) fields.remove(option);
    }
  }
  if (!fields.has(FieldName::kDate)) {
    const auto date = http::format_date(received.wall_seconds());
    fields.add(FieldName::kDate, arena.copy({date.data(), date.size()}));
  }
  return fields;
}

bool fit_content_range(http::Fields& fields, std::optional<uint64_t> length) {
  const auto said = http::parse_content_range(fields.value(FieldName::kContentRange));
  if (!said) return true;
  const auto part = length ? http::fit_to_content(*said, *length) : std::nullopt;
  if (!part) return false;
  fields.set(to_string(FieldName::kContentRange), http::write_content_range(*part, fields.arena()));
  return true;
}

}   // namespace proxyd::caching
