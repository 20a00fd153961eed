#include "master/admin/routes.h"

#include <algorithm>
#include <set>

#include "master/admin/resources/handlers.h"

namespace proxyd::admin {
namespace {

using Words = std::vector<std::string_view>;
using Numbers = std::vector<int>;

const Words kJson = {"application/json"};
const Words kText = {"text/plain"};
const Words kDocument = {"application/json", "application/yaml", "text/plain"};

Route open(std::string_view pattern, Handler handler, Words query, Numbers problems, Words produces,
           std::string_view summary) {
  return {
      "GET",   pattern, "", Effect::kNone, handler, std::move(query), {200}, std::move(problems), std::move(produces),
      summary, true};
}

Route read(std::string_view pattern, std::string_view scope, Handler handler, Words query, std::string_view summary,
           Words produces = kJson) {
  return {"GET",  pattern, scope, Effect::kNone, handler, std::move(query), {200, 304}, {}, std::move(produces),
          summary};
}

// A POST that asks and changes nothing.
Route ask(std::string_view pattern, Handler handler, Numbers problems, std::string_view summary) {
  return {"POST", pattern, "read", Effect::kNone, handler, {}, {200}, std::move(problems), kJson, summary};
}

Route change(std::string_view method, std::string_view pattern, std::string_view scope, Handler handler, Words query,
             Numbers answers, std::string_view summary) {
  query.push_back("dry_run");
  return {method,     pattern, scope,  Effect::kChange, handler, std::move(query), std::move(answers),
          {409, 422}, kJson,   summary};
}

// One that changes the document: it takes preconditions, and a message for the history.
Route write(std::string_view method, std::string_view pattern, std::string_view scope, Handler handler, Words query,
            std::string_view summary) {
  query.push_back("message");
  Route route = change(method, pattern, scope, handler, std::move(query), {200}, summary);
  route.problems.insert(route.problems.end(), {412, 428, 507});
  return route;
}

Route login(std::string_view method, std::string_view pattern, Handler handler, Numbers answers,
            std::string_view summary, bool anyone) {
  return {method, pattern, "", Effect::kLogin, handler, {}, std::move(answers), {}, kJson, summary, anyone};
}

std::vector<Route> general_routes() {
  return {
      open("/", get_root, {}, {}, {"text/html"}, "What this is"),
      open("/livez", get_livez, {}, {503}, kText, "The master's loop turns"),
      open("/readyz", get_readyz, {"strict"}, {503}, kText, "A revision is active and a worker serves"),
      read("/metrics", "metrics", get_metrics, {}, "Prometheus text or OpenMetrics",
           {"text/plain", "application/openmetrics-text"}),
      login("POST", "/api/v1/login-codes", create_login_code, {201}, "A code for the browser; on the unix socket only",
            false),
      login("POST", "/api/v1/session", create_session, {201}, "Log in with a code", true),
      login("GET", "/api/v1/session", get_session, {200}, "Who is logged in", false),
      login("DELETE", "/api/v1/session", delete_session, {200}, "Log out", false),
      read("/api/v1/openapi.json", "read", get_open_api, {}, "This API"),
      read("/api/v1/problems/{code}", "read", get_problem, {}, "What a problem type means"),
      read("/api/v1/schema/config.json", "read", get_schema, {}, "JSON Schema of the document",
           {"application/schema+json"}),
      read("/api/v1/status", "read", get_status, {}, "The overview, with what needs attention"),
      {"GET",
       "/api/v1/events",
       "read",
       Effect::kNone,
       nullptr,
       {},
       {200},
       {503},
       {"text/event-stream"},
       "Server-sent events: stats, revisions, targets, workers, purges"},
      change("POST", "/api/v1/reload", "config:write", post_reload, {}, {200}, "As SIGHUP"),
      change("POST", "/api/v1/shutdown", "workers", post_shutdown, {}, {200, 202}, "As SIGQUIT"),
      read("/api/v1/operations", "read", list_operations, {"limit", "cursor"}, "Long calls, the newest last"),
      read("/api/v1/operations/{id}", "read", get_operation, {"wait"}, "A long call"),
      change("POST", "/api/v1/operations/{id}:cancel", "upstreams:runtime", cancel_operation, {}, {200},
             "Give up a long call; a drain is lifted"),
      read("/api/v1/rejects", "logs", get_rejects, {"client", "reason", "limit", "cursor"},
           "The last refused messages"),
      change("PATCH", "/api/v1/logs/level", "workers", patch_log_level, {}, {200}, "The level of the error log"),
      read("/api/v1/tokens", "access", list_tokens, {"limit", "cursor"}, "API tokens"),
      change("POST", "/api/v1/tokens", "access", create_token, {}, {200, 201}, "A new token; its secret is shown once"),
      change("DELETE", "/api/v1/tokens/{id}", "access", revoke_token, {"missing_ok"}, {200}, "Revoke a token"),
      read("/api/v1/audit", "access", list_audit, {"limit", "cursor"}, "Who did what"),
  };
}

std::vector<Route> document_routes() {
  return {
      read("/api/v1/config", "read", get_config, {"format", "source"}, "The document", kDocument),
      write("PUT", "/api/v1/config", "config:write", put_config, {}, "Replace the document"),
      write("PATCH", "/api/v1/config", "config:write", patch_config, {}, "Merge into the document"),
      ask("/api/v1/config:validate", validate_config, {422}, "Errors of a document"),
      ask("/api/v1/config:diff", diff_config, {422}, "What a document would change"),
      read("/api/v1/config/{kind}", "read", get_object, {}, "A part of the document"),
      write("PUT", "/api/v1/config/{kind}", "config:write", put_object, {}, "Replace a part"),
      write("PATCH", "/api/v1/config/{kind}", "config:write", patch_object, {}, "Merge into a part"),
      write("DELETE", "/api/v1/config/{kind}", "config:write", delete_object, {"missing_ok"}, "Remove a part"),
      read("/api/v1/config/{kind}/{name}", "read", get_object, {}, "One object"),
      write("PUT", "/api/v1/config/{kind}/{name}", "config:write", put_object, {}, "Create or replace one object"),
      write("PATCH", "/api/v1/config/{kind}/{name}", "config:write", patch_object, {}, "Merge into one object"),
      write("DELETE", "/api/v1/config/{kind}/{name}", "config:write", delete_object, {"missing_ok"},
            "Remove one object"),
      read("/api/v1/config/hosts/{h}/routes/{r}", "read", get_route, {}, "One route"),
      write("PUT", "/api/v1/config/hosts/{h}/routes/{r}", "config:write", put_route, {"before", "after"},
            "Create, replace or move one route"),
      write("PATCH", "/api/v1/config/hosts/{h}/routes/{r}", "config:write", patch_route, {"before", "after"},
            "Merge into one route, or move it"),
      write("DELETE", "/api/v1/config/hosts/{h}/routes/{r}", "config:write", delete_route, {"missing_ok"},
            "Remove one route"),
      read("/api/v1/certificates", "read", list_certificates, {"limit", "cursor"}, "Certificates, never their keys"),
      read("/api/v1/certificates/{c}", "read", get_certificate, {}, "One certificate"),
      write("PUT", "/api/v1/certificates/{c}", "certs:write", put_certificate, {},
            "Upload one, or another in its place; it serves when this is answered"),
      write("DELETE", "/api/v1/certificates/{c}", "certs:write", delete_certificate, {"missing_ok"},
            "Remove one that nobody uses"),
      change("POST", "/api/v1/certificates/{c}:reload", "certs:write", reload_certificate, {}, {200},
             "Read its files again now"),
      read("/api/v1/revisions", "read", list_revisions, {"limit", "cursor"}, "History, newest first"),
      read("/api/v1/revisions/{n}", "read", get_revision, {"format"}, "One revision", kDocument),
      read("/api/v1/revisions/{n}/diff", "read", diff_revision, {"to"}, "What changed since, or to another"),
      write("POST", "/api/v1/revisions/{n}:activate", "config:write", activate_revision, {},
            "Roll back, as a new revision"),
  };
}

std::vector<Route> runtime_routes() {
  constexpr std::string_view kTarget = "/api/v1/upstreams/{u}/targets/{t}";
  Route explain = ask("/api/v1/explain", post_explain, {422, 504}, "What would happen to a request");
  Route remove = write(
      "DELETE", kTarget, "upstreams:write", delete_target, {"drain", "force", "keep", "min_up", "missing_ok", "wait"},
      "Drain and remove a target; what has not ended is cut and counted, with force at once, or keeps it");
  remove.answers = {200, 202};
  Route targets =
      write("PUT", "/api/v1/upstreams/{u}/targets", "upstreams:write", put_targets, {"drain", "min_up", "wait"},
            "All targets of a dynamic upstream at once; those that are not among them drain and go");
  targets.answers = {200, 202};
  Route check = change("POST", "/api/v1/upstreams/{u}/targets/{t}:check", "upstreams:runtime", check_target, {}, {200},
                       "Check a target now, and tell what it answered");
  check.problems = {422, 504};
  Route objects = read("/api/v1/cache/objects", "read", list_cached, {"host", "prefix", "tag", "limit", "cursor"},
                       "What is stored: a bounded part of it, in no order");
  objects.problems = {504};
  Route purge = change("POST", "/api/v1/cache/purges", "purge", create_purge, {}, {200},
                       "Purge URLs, tags, prefixes, hosts or everything, hard or soft");
  purge.problems = {422, 504};
  purge.audited_later = true;
  return {
      read("/api/v1/cache", "read", get_cache, {}, "How full the cache is, and how much it saves"),
      std::move(objects),
      ask("/api/v1/cache:lookup", look_up, {422, 504}, "What the cache would be for a request, and why"),
      std::move(purge),
      read("/api/v1/cache/purges", "purge", list_purges, {"limit", "cursor"}, "What was purged, the newest first"),
      read("/api/v1/upstreams", "read", list_upstreams, {"limit", "cursor"}, "Every upstream with its targets"),
      read("/api/v1/upstreams/{u}", "read", get_upstream, {}, "One upstream"),
      read(kTarget, "read", get_target, {}, "One target"),
      write("PUT", kTarget, "upstreams:write", put_target, {}, "Add or replace a target"),
      write("PATCH", kTarget, "upstreams:write", patch_target, {}, "Change a target"),
      std::move(remove),
      std::move(targets),
      change("POST", "/api/v1/upstreams/{u}/targets/{t}:drain", "upstreams:runtime", drain_target, {"wait"}, {200, 202},
             "No new requests"),
      change("POST", "/api/v1/upstreams/{u}/targets/{t}:maintenance", "upstreams:runtime", maintain_target, {}, {200},
             "Out of service"),
      change("POST", "/api/v1/upstreams/{u}/targets/{t}:ready", "upstreams:runtime", ready_target, {}, {200},
             "Back in service, as the document says"),
      change("POST", "/api/v1/upstreams/{u}/targets/{t}:weight", "upstreams:runtime", weigh_target, {}, {200},
             "Another weight for now"),
      std::move(check),
      read("/api/v1/hosts", "read", list_hosts, {"limit", "cursor"}, "Every host: whether it serves, and its splits"),
      read("/api/v1/hosts/{h}", "read", get_host, {}, "One host"),
      change("POST", "/api/v1/hosts/{h}:maintenance", "upstreams:runtime", maintain_host, {}, {200},
             "Requests get 503 for now"),
      change("POST", "/api/v1/hosts/{h}:ready", "upstreams:runtime", ready_host, {}, {200},
             "Back in service, as the document says"),
      change("POST", "/api/v1/hosts/{h}/routes/{r}:split", "upstreams:runtime", split_route, {}, {200},
             "Other shares of a split for now"),
      std::move(explain),
      read("/api/v1/workers", "read", list_workers, {"all", "limit", "cursor"}, "The workers"),
      change("PATCH", "/api/v1/workers", "workers", scale_workers, {}, {200}, "How many there are"),
      change("POST", "/api/v1/workers/{slot}:restart", "workers", restart_worker, {"wait"}, {200, 202},
             "Drain one and start another"),
  };
}

std::vector<Route> make_routes() {
  std::vector<Route> all = general_routes();
  for (auto* more : {document_routes, runtime_routes}) {
    for (Route& route : more()) all.push_back(std::move(route));
  }
  return all;
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

}   // namespace

std::span<const Route> routes() {
  static const std::vector<Route> all = make_routes();
  return all;
}

Found find_route(std::string_view method, std::string_view path) {
  Found found;
  // A verb is no name: "x:drain" is never the target "x:drain".
  const bool has_verb = path.substr(std::min(path.rfind('/'), path.size())).find(':') != std::string_view::npos;
  for (const Route& route : routes()) {
    std::map<std::string, std::string> parameters;
    if (has_verb != (route.pattern.find(':') != std::string_view::npos) || !matches(route.pattern, path, parameters))
      continue;
    if (route.method == method || (method == "HEAD" && route.method == "GET" && !route.is_stream())) {
      found.route = &route;
      found.parameters = std::move(parameters);
      return found;
    }
    found.other_methods.push_back(route.method);
    if (route.method == "GET" && !route.is_stream()) found.other_methods.push_back("HEAD");
  }
  return found;
}

std::vector<int> statuses_of(const Route& route) {
  std::set<int> all(route.answers.begin(), route.answers.end());
  all.insert(route.problems.begin(), route.problems.end());
  all.insert({400, 403, 406, 421, 429, 500, 503});
  if (!route.open || route.effect == Effect::kLogin) all.insert(401);
  if (route.effect == Effect::kLogin) all.insert({404, 507});
  if (route.pattern.find('{') != std::string_view::npos || route.pattern.starts_with("/api/v1/config")) all.insert(404);
  if (route.takes_body()) all.insert({413, 415, 422});
  if (route.effect == Effect::kChange) all.insert(507);
  return {all.begin(), all.end()};
}

}   // namespace proxyd::admin
