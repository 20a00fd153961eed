#include "master/admin/front.h"

#include <fmt/format.h>

#include <algorithm>

#include "master/admin/authentication.h"
#include "master/admin/query.h"
#include "master/admin/routes.h"
#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

using Refusal = std::optional<AdminAnswer>;

bool is_get(const AdminRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

Refusal check_form(AdminRequest& request) {
  if (!request.path.starts_with('/')) return problem("malformed", "the target of the request is a path");
  for (const char* name : {"authorization", "host", "content-type", "content-length", "if-match", "if-none-match",
                           "cookie", "x-csrf-token"}) {
    if (std::find(request.repeated_fields.begin(), request.repeated_fields.end(), name) !=
        request.repeated_fields.end())
      return problem("malformed", fmt::format("the field {} is given twice", name));
  }
  auto query = parse_query(request.query_text);
  if (!query) return problem("malformed", query.error().message);
  request.query = std::move(*query);
  return std::nullopt;
}

// Only our own names, so that no page can reach us under another (DNS rebinding).
Refusal check_host(const AdminRequest& request, const master::Bootstrap& bootstrap) {
  if (request.door != Door::kTcp) return std::nullopt;
  const std::string host = request.field("host");
  if (equals_ignoring_case(host, bootstrap.admin_address)) return std::nullopt;
  const std::string name = host.substr(0, host.rfind(':'));
  for (const std::string& ours : bootstrap.admin_hostnames) {
    if (equals_ignoring_case(name, ours)) return std::nullopt;
  }
  return problem("misdirected",
                 fmt::format("this server's name is {}; others go into admin.tcp.hostnames", bootstrap.admin_address));
}

Refusal check_query(const AdminRequest& request, const Route& route) {
  for (const auto& [name, value] : request.query) {
    const bool known = std::find(route.query.begin(), route.query.end(), name) != route.query.end();
    if (!known)
      return problem("unknown-parameter",
                     fmt::format("'{}' is no parameter of {} {}", name, request.method, route.pattern));
    const std::string fault = fault_of_parameter(name, value);
    if (!fault.empty()) return problem("malformed", fmt::format("{} {}, not '{}'", name, fault, value));
  }
  return std::nullopt;
}

Refusal check_identity(const AdminRequest& request, const Route& route) {
  if (route.open) return std::nullopt;
  if (!request.identity.known()) return problem("unauthenticated", "send a token: Authorization: Bearer pxy_…");
  if (!request.identity.may(route.scope))
    return problem("forbidden", fmt::format("this needs the scope '{}'", route.scope));
  return std::nullopt;
}

// Something of what the caller takes must be something that the line makes; a problem is always taken.
Refusal check_accept(const AdminRequest& request, const Route& route) {
  const std::string accept = request.field("accept");
  if (accept.empty()) return std::nullopt;
  for (size_t at = 0; at < accept.size();) {
    const size_t end = std::min(accept.find(',', at), accept.size());
    std::string range = accept.substr(at, end - at);
    at = end + 1;
    range.resize(std::min(range.find(';'), range.size()));
    std::erase_if(range, [](char c) { return c == ' ' || c == '\t'; });
    if (range == "*/*") return std::nullopt;
    for (const std::string_view type : route.produces) {
      const std::string group = std::string(type.substr(0, type.find('/'))) + "/*";
      if (equals_ignoring_case(range, type) || equals_ignoring_case(range, group)) return std::nullopt;
    }
  }
  return problem("not-acceptable", fmt::format("this answers with {}", fmt::join(route.produces, ", ")));
}

// The parts of the path that are names; "/" hidden in an escape makes none.
Refusal decode_parameters(AdminRequest& request) {
  for (auto& [name, value] : request.parameters) {
    const auto decoded = percent_decoded(value);
    if (!decoded)
      return problem("malformed", "the path holds a broken escape, a control character, or what is not UTF-8");
    if (decoded->find('/') != std::string::npos || *decoded == "." || *decoded == "..")
      return problem("not-found", fmt::format("there is nothing at {}", request.path));
    value = *decoded;
  }
  return std::nullopt;
}

// Only JSON and, for whole documents, YAML.
Refusal check_body(const AdminRequest& request) {
  if (!request.route->takes_body()) return std::nullopt;
  std::string type = request.field("content-type");
  type.resize(std::min(type.find_first_of("; "), type.size()));
  const bool json = equals_ignoring_case(type, "application/json") ||
                    (request.method == "PATCH" && equals_ignoring_case(type, "application/merge-patch+json"));
  const bool yaml = (equals_ignoring_case(type, "application/yaml") || equals_ignoring_case(type, "text/yaml")) &&
                    request.route->takes_yaml();
  if (request.body.empty() && request.method == "POST" && !request.route->takes_yaml()) return std::nullopt;
  if (request.body.empty()) return problem("malformed", "the body is missing");
  if (!json && !yaml)
    return problem("media-type", fmt::format("'{}' is not taken here; send application/json{}", type,
                                             request.route->takes_yaml() ? " or application/yaml" : ""));
  if (!is_utf8(request.body)) return problem("malformed", "the body is not well-formed UTF-8");
  return std::nullopt;
}

Refusal find_line(AdminRequest& request, Context& context) {
  Found found = find_route(request.method, request.path);
  // Who is not logged in learns nothing about what there is.
  const bool closed = request.path.starts_with("/api/") && !(found.route && found.route->open);
  if (closed && !request.identity.known())
    return problem("unauthenticated", "send a token: Authorization: Bearer pxy_…");
  const bool hidden = request.door == Door::kMetrics && request.path != "/metrics" && request.path != "/livez" &&
                      request.path != "/readyz";
  if (hidden || (!found.route && found.other_methods.empty()))
    return problem("not-found", fmt::format("there is nothing at {}", request.path));
  if (!found.route) {
    AdminAnswer refused = problem("method", fmt::format("{} is not for {}", request.method, request.path));
    refused.fields["Allow"] = fmt::format("{}", fmt::join(found.other_methods, ", "));
    return refused;
  }
  request.route = found.route;
  request.parameters = std::move(found.parameters);
  if (request.door != Door::kMetrics) {
    if (auto refused = check_identity(request, *found.route)) return refused;
    if (auto refused = check_origin(request)) return refused;
  }
  if (found.route->effect == Effect::kChange && context.master.bootstrap().read_only)
    return problem("read-only", "admin.read_only is true");
  return std::nullopt;
}

// RFC 9110 13.1.2, for those who look again and again.
bool is_unchanged(const AdminRequest& request, const AdminAnswer& made) {
  const auto tag = made.fields.find("ETag");
  const std::string known = request.field("if-none-match");
  return made.status == 200 && !made.is_live && is_get(request) && tag != made.fields.end() && !known.empty() &&
         (known == "*" || known.find(tag->second) != std::string::npos);
}

}   // namespace

Refusal admit(AdminRequest& request, Context& context) {
  if (auto refused = check_form(request)) return refused;
  if (auto refused = check_host(request, context.master.bootstrap())) return refused;
  if (request.door != Door::kMetrics) {
    Identified found = identify(request, context);
    if (found.refusal) return found.refusal;
    request.identity = std::move(found.identity);
  }
  if (auto refused = find_line(request, context)) return refused;
  if (auto refused = decode_parameters(request)) return refused;
  if (auto refused = check_query(request, *request.route)) return refused;
  return check_accept(request, *request.route);
}

AdminAnswer perform(const AdminRequest& request, Context& context) {
  AdminAnswer made;
  try {
    const Refusal refused = check_body(request);
    made = refused ? *refused : request.route->handler(request, context);
  } catch (const std::exception& error) {
    made = problem("internal", error.what());
  }
  if (!is_unchanged(request, made)) return made;
  made.status = 304;
  made.body.clear();
  return made;
}

void record(const AdminRequest& request, const AdminAnswer& made, Context& context) {
  if (made.status >= 500 && !made.request_id.empty())
    context.master.log().error("{} {} failed with {}, request id {}: {}", request.method, request.path.substr(0, 512),
                               made.status, made.request_id, made.why);
  if (request.route) {
    const std::vector<int> documented = statuses_of(*request.route);
    if (!std::binary_search(documented.begin(), documented.end(), made.status))
      context.master.log().error("undocumented: {} {} answered {}", request.method, request.route->pattern,
                                 made.status);
  }
  const bool refused = made.status == 401 || made.status == 403 || made.status == 421 || made.status == 429;
  const bool mutation =
      request.route ? request.route->effect != Effect::kNone && request.method != "GET" : !is_get(request);
  const bool tried = made.ok() && (request.dry_run() || made.is_renewal);
  if ((!refused && !mutation) || tried) return;
  if (!request.identity.known() && !made.ok()) {   // nobody may fill the disk by knocking
    if (context.refusals.wait_for(request.peer, Clock::now()).count() > 0) return;
    context.refusals.note(request.peer, Clock::now());
  }
  context.audit(request, made.status, made.ok() ? request.value("message", made.why) : made.why);
}

}   // namespace proxyd::admin
