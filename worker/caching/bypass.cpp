#include "worker/caching/bypass.h"

#include <algorithm>
#include <array>

#include "shared/base/bytes.h"
#include "worker/caching/request_parts.h"
#include "worker/http/forwarded.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

using http::FieldName;
using http::Method;

bool has_method_override(const http::Fields& fields) {
  constexpr std::array<std::string_view, 3> kNames = {"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"};
  if (!fields.has(FieldName::kOther)) return false;
  for (const http::Field& field : fields) {
    if (field.known != FieldName::kOther || ascii_lower(field.name.front()) != 'x') continue;
    for (const std::string_view name : kNames) {
      if (equals_ignoring_case(field.name, name)) return true;
    }
  }
  return false;
}

// ".." beside an encoded slash or backslash.
bool has_encoded_traversal(const http::Target& target) {
  if (!target.has_encoded_separator) return false;
  const std::string_view path = target.path;
  const auto is_separator = [](std::string_view text) {
    return equals_ignoring_case(text, "%2f") || equals_ignoring_case(text, "%5c");
  };
  for (size_t at = path.find(".."); at != std::string_view::npos; at = path.find("..", at + 1)) {
    if (is_separator(path.substr(at + 2, 3)) || (at >= 3 && is_separator(path.substr(at - 3, 3)))) return true;
  }
  return false;
}

bool has_cookie(const http::Fields& fields, const std::vector<NamePattern>& patterns) {
  if (patterns.empty()) return false;
  CookiePairs cookies(fields);
  while (const auto cookie = cookies.next()) {
    if (matches_any(patterns, cookie->name)) return true;
  }
  return false;
}

bool has_parameter(const http::RequestHead& request, const std::vector<NamePattern>& patterns) {
  if (patterns.empty()) return false;
  QueryParameters parameters(request.target.query, request.target.has_query);
  while (const auto parameter = parameters.next()) {
    if (matches_any(patterns, decoded_name(parameter->name, request.fields.arena()))) return true;
  }
  return false;
}

bool is_forwarded_for_another(const http::Fields& fields, std::string_view authority, http::Scheme scheme) {
  http::ListMembers elements(fields.combined(FieldName::kForwarded));
  std::string_view element;
  while (elements.next(element)) {
    const std::string_view host = http::forwarded_parameter(element, "host");
    const std::string_view proto = http::forwarded_parameter(element, "proto");
    if (!host.empty() && !equals_ignoring_case(host, authority)) return true;
    if (!proto.empty() && !equals_ignoring_case(proto, http::to_string(scheme))) return true;
  }
  return false;
}

}   // namespace

Reason why_bypassed(const http::RequestHead& request, const Policy& policy) {
  const bool looked_up = request.method == Method::kGet || request.method == Method::kHead;
  if (!looked_up || !policy.has_method(request.method)) return Reason::kMethod;
  if (request.wants_websocket) return Reason::kUpgrade;
  if (!request.content.is_empty()) return Reason::kRequestContent;
  const http::Fields& fields = request.fields;
  if (has_method_override(fields)) return Reason::kMethodOverride;
  if (has_encoded_traversal(request.target)) return Reason::kEncodedTraversal;
  if (fields.has(FieldName::kIfMatch) || fields.has(FieldName::kIfUnmodifiedSince)) return Reason::kPrecondition;
  const BypassRules& bypass = policy.bypass;
  for (const std::string& name : bypass.headers) {
    if (fields.find(name)) return Reason::kBypassHeader;
  }
  if (has_cookie(fields, bypass.cookies)) return Reason::kBypassCookie;
  if (has_parameter(request, bypass.query)) return Reason::kBypassQuery;
  if (matches_any(bypass.paths, request.target.path)) return Reason::kBypassPath;
  return Reason::kNone;
}

bool is_post_to_be_stored(const http::RequestHead& request, const Policy& policy) {
  if (request.method != Method::kPost || !policy.has_method(Method::kPost)) return false;
  http::RequestHead as_get = request;
  as_get.method = Method::kGet;
  as_get.content = {};
  return why_bypassed(as_get, policy) == Reason::kNone;
}

bool has_foreign_forwarding_fields(const http::Fields& request_fields, std::string_view authority, http::Scheme scheme,
                                   const Policy& policy) {
  const bool forwarded = request_fields.has(FieldName::kForwarded);
  if (forwarded && is_forwarded_for_another(request_fields, authority, scheme)) return true;
  if (!request_fields.has(FieldName::kOther)) return false;
  for (const http::Field& field : request_fields) {
    if (field.known != FieldName::kOther || !equals_ignoring_case(field.name.substr(0, 12), "x-forwarded-")) continue;
    bool keyed = false;
    for (const std::string& name : policy.key.headers) keyed = keyed || equals_ignoring_case(name, field.name);
    if (!keyed) return true;
  }
  return false;
}

}   // namespace proxyd::caching
