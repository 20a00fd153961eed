#include "master/admin/front.h"

#include <fmt/format.h>

#include <algorithm>

#include "master/admin/routes.h"
#include "shared/base/bytes.h"

namespace proxyd::admin {
namespace {

bool has_body(const std::string& method) { return method == "PUT" || method == "POST" || method == "PATCH"; }

bool is_document_path(const std::string& path) { return path == "/api/v1/config" || path.starts_with("/api/v1/config:"); }

// Only JSON and, for whole documents, YAML (admin.md 2).
std::optional<AdminAnswer> check_body(const AdminRequest& request) {
  if (!has_body(request.method) || request.body.empty()) return std::nullopt;
  const std::string type = request.content_type.substr(0, request.content_type.find(';'));
  const bool json = type == "application/json" || type == "application/merge-patch+json";
  const bool yaml = (type == "application/yaml" || type == "text/yaml") && is_document_path(request.path);
  if (!json && !yaml) return problem("media-type", fmt::format("'{}' is not taken here; send application/json{}", type, is_document_path(request.path) ? " or application/yaml" : ""));
  if (!is_utf8(request.body)) return problem("malformed", "the body is not well-formed UTF-8");
  return std::nullopt;
}

std::optional<AdminAnswer> check_query(const AdminRequest& request, const Route& route) {
  for (const auto& [name, value] : request.query) {
    const bool known = std::find(route.query.begin(), route.query.end(), name) != route.query.end();
    if (!known) return problem("unknown-parameter", fmt::format("'{}' is no parameter of {} {}", name, request.method, route.pattern));
  }
  return std::nullopt;
}

std::optional<AdminAnswer> check_identity(const AdminRequest& request, const Route& route) {
  if (route.scope.empty()) return std::nullopt;
  if (request.identity.name.empty()) return problem("unauthenticated", "send a token: Authorization: Bearer pxy_…");
  if (!request.identity.may(std::string(route.scope))) return problem("forbidden", fmt::format("this needs the scope '{}'", route.scope));
  return std::nullopt;
}

AdminAnswer route_and_answer(AdminRequest& request, Context& context) {
  Found found = find_route(request.method, request.path);
  const bool is_api = request.path.starts_with("/api/");
  // Who is not logged in learns nothing about what there is.
  if (is_api && request.identity.name.empty()) return problem("unauthenticated", "send a token: Authorization: Bearer pxy_…");
  if (!found.route && !found.other_methods.empty()) {
    AdminAnswer refused = problem("method", fmt::format("{} is not for {}", request.method, request.path));
    refused.fields["Allow"] = fmt::format("{}", fmt::join(found.other_methods, ", "));
    return refused;
  }
  if (!found.route || !found.route->handler) return problem("not-found", fmt::format("there is nothing at {}", request.path));
  if (auto refused = check_identity(request, *found.route)) return *refused;
  if (auto refused = check_query(request, *found.route)) return *refused;
  if (auto refused = check_body(request)) return *refused;
  const bool changes = request.method != "GET" && found.route->scope != "read";
  if (changes && context.master.bootstrap().read_only) return problem("read-only", "admin.read_only is true");
  request.parameters = std::move(found.parameters);
  return found.route->handler(request, context);
}

}  // namespace

AdminAnswer answer(AdminRequest& request, Context& context) {
  AdminAnswer made;
  try {
    made = route_and_answer(request, context);
  } catch (const std::exception& error) {
    context.master.log().error("{} {} ended in an exception: {}", request.method, request.path, error.what());
    made = problem("internal", "");
  }
  const bool refused = made.status == 401 || made.status == 403;
  const bool mutation = request.method != "GET" && request.method != "HEAD";
  if (refused || mutation) context.audit(request, made.status, made.status >= 400 ? made.body : "");
  return made;
}

}  // namespace proxyd::admin
