#include "master/admin/routes.h"

#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

// Known to every line that changes something.
std::vector<std::string_view> change(std::vector<std::string_view> more = {}) {
  more.push_back("dry_run");
  more.push_back("message");
  return more;
}

std::vector<Route> make_routes() {
  return {
      {"GET", "/", "", get_root, {}, "What this is"},
      {"GET", "/livez", "", get_livez, {}, "The master's loop turns"},
      {"GET", "/readyz", "", get_readyz, {"strict"}, "A revision is active and a worker serves"},
      {"GET", "/metrics", "metrics", get_metrics, {}, "Prometheus text or OpenMetrics"},
      {"GET", "/problems/{code}", "", get_problem, {}, "What a problem type means"},
      {"GET", "/api/v1/openapi.json", "read", get_open_api, {}, "This API"},
      {"GET", "/api/v1/schema/config.json", "read", get_schema, {}, "JSON Schema of the document"},
      {"GET", "/api/v1/status", "read", get_status, {}, "The overview, with what needs attention"},
      {"GET", "/api/v1/config", "read", get_config, {"format", "source"}, "The document"},
      {"PUT", "/api/v1/config", "config:write", put_config, change(), "Replace the document"},
      {"PATCH", "/api/v1/config", "config:write", patch_config, change(), "Merge into the document"},
      {"POST", "/api/v1/config:validate", "read", validate_config, {}, "Errors of a document"},
      {"POST", "/api/v1/config:diff", "read", diff_config, {}, "What a document would change"},
      {"GET", "/api/v1/config/{kind}", "read", get_object, {}, "A part of the document"},
      {"PUT", "/api/v1/config/{kind}", "config:write", put_object, change(), "Replace a part"},
      {"PATCH", "/api/v1/config/{kind}", "config:write", patch_object, change(), "Merge into a part"},
      {"DELETE", "/api/v1/config/{kind}", "config:write", delete_object, change({"missing_ok"}), "Remove a part"},
      {"GET", "/api/v1/config/{kind}/{name}", "read", get_object, {}, "One object"},
      {"PUT", "/api/v1/config/{kind}/{name}", "config:write", put_object, change(), "Create or replace one object"},
      {"PATCH", "/api/v1/config/{kind}/{name}", "config:write", patch_object, change(), "Merge into one object"},
      {"DELETE", "/api/v1/config/{kind}/{name}", "config:write", delete_object, change({"missing_ok"}), "Remove one object"},
      {"GET", "/api/v1/revisions", "read", list_revisions, {"limit", "cursor"}, "History, newest first"},
      {"GET", "/api/v1/revisions/{n}", "read", get_revision, {"format"}, "One revision"},
      {"GET", "/api/v1/revisions/{n}/diff", "read", diff_revision, {"to"}, "What changed since, or to another"},
      {"POST", "/api/v1/revisions/{n}:activate", "config:write", activate_revision, change(), "Roll back, as a new revision"},
      {"GET", "/api/v1/upstreams", "read", list_upstreams, {}, "Every upstream with its targets"},
      {"GET", "/api/v1/upstreams/{u}", "read", get_upstream, {}, "One upstream"},
      {"GET", "/api/v1/upstreams/{u}/targets/{t}", "read", get_target, {}, "One target"},
      {"PUT", "/api/v1/upstreams/{u}/targets/{t}", "upstreams:write", put_target, change(), "Add or replace a target"},
      {"PATCH", "/api/v1/upstreams/{u}/targets/{t}", "upstreams:write", patch_target, change(), "Change a target"},
      {"DELETE", "/api/v1/upstreams/{u}/targets/{t}", "upstreams:write", delete_target, change({"drain", "force", "missing_ok"}), "Drain and remove a target"},
      {"POST", "/api/v1/upstreams/{u}/targets/{t}:drain", "upstreams:runtime", drain_target, {"wait", "dry_run"}, "No new requests"},
      {"POST", "/api/v1/upstreams/{u}/targets/{t}:maintenance", "upstreams:runtime", maintain_target, {"dry_run"}, "Out of service"},
      {"POST", "/api/v1/upstreams/{u}/targets/{t}:ready", "upstreams:runtime", ready_target, {"dry_run"}, "Back in service"},
      {"POST", "/api/v1/upstreams/{u}/targets/{t}:weight", "upstreams:runtime", weigh_target, {"dry_run"}, "Another weight for now"},
      {"POST", "/api/v1/explain", "read", post_explain, {}, "What would happen to a request"},
      {"GET", "/api/v1/workers", "read", list_workers, {"all"}, "The workers"},
      {"PATCH", "/api/v1/workers", "workers", scale_workers, {"dry_run"}, "How many there are"},
      {"POST", "/api/v1/workers/{slot}:restart", "workers", restart_worker, {"dry_run"}, "Drain one and start another"},
      {"GET", "/api/v1/rejects", "logs", get_rejects, {"client", "reason"}, "The last refused messages"},
      {"PATCH", "/api/v1/logs/level", "workers", patch_log_level, {"dry_run"}, "The level of the error log"},
      {"POST", "/api/v1/reload", "config:write", post_reload, {}, "As SIGHUP"},
      {"POST", "/api/v1/shutdown", "workers", post_shutdown, {"dry_run"}, "As SIGQUIT"},
      {"GET", "/api/v1/tokens", "access", list_tokens, {}, "API tokens"},
      {"POST", "/api/v1/tokens", "access", create_token, {"dry_run"}, "A new token; its secret is shown once"},
      {"DELETE", "/api/v1/tokens/{id}", "access", revoke_token, {"missing_ok", "dry_run"}, "Revoke a token"},
      {"GET", "/api/v1/audit", "access", list_audit, {"cursor"}, "Who did what"},
      {"GET", "/api/v1/events", "read", nullptr, {}, "Server-sent events: stats, revisions, targets"},
  };
}

// "{u}" takes one segment up to "/" or ":verb"; the rest must be equal.
bool matches(std::string_view pattern, std::string_view path, std::map<std::string, std::string>& parameters) {
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      if (path.empty() || path.front() != pattern.front()) return false;
      pattern.remove_prefix(1);
      path.remove_prefix(1);
      continue;
    }
    const size_t close = pattern.find('}');
    const std::string name(pattern.substr(1, close - 1));
    pattern.remove_prefix(close + 1);
    const size_t end = std::min(path.find_first_of(pattern.starts_with(':') ? "/:" : "/"), path.size());
    if (end == 0) return false;
    parameters[name] = path.substr(0, end);
    path.remove_prefix(end);
  }
  return path.empty();
}

}  // namespace

std::span<const Route> routes() {
  static const std::vector<Route> all = make_routes();
  return all;
}

Found find_route(std::string_view method, std::string_view path) {
  Found found;
  for (const Route& route : routes()) {
    std::map<std::string, std::string> parameters;
    if (!matches(route.pattern, path, parameters)) continue;
    // A verb is no name: "x:drain" is never the target "x:drain".
    const bool has_verb = path.substr(std::min(path.rfind('/'), path.size())).find(':') != std::string_view::npos;
    if (has_verb && route.pattern.find(':') == std::string_view::npos) continue;
    if (route.method == method) {
      found.route = &route;
      found.parameters = std::move(parameters);
      return found;
    }
    found.other_methods.push_back(route.method);
  }
  return found;
}

Json open_api() {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c + 32);
    Json parameters = Json::array();
    for (const std::string_view name : route.query) parameters.push_back({{"name", std::string(name)}, {"in", "query"}, {"schema", {{"type", "string"}}}});
    for (size_t at = route.pattern.find('{'); at != std::string_view::npos; at = route.pattern.find('{', at + 1)) {
      const std::string name(route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1));
      parameters.push_back({{"name", name}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
    }
    paths[std::string(route.pattern)][method] = {{"summary", std::string(route.summary)}, {"parameters", std::move(parameters)},
                                                 {"x-scope", std::string(route.scope)},
                                                 {"responses", {{"2XX", {{"description", "done"}}}, {"default", {{"description", "problem details"}}}}}};
  }
  return {{"openapi", "3.1.0"}, {"info", {{"title", "proxyd admin API"}, {"version", "1"}}}, {"paths", std::move(paths)}};
}

}  // namespace proxyd::admin
