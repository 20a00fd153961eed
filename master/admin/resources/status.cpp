#include <fmt/format.h>

#include "master/admin/resources/handlers.h"
#include "master/admin/routes.h"
#include "shared/base/bytes.h"
#include "shared/base/log.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

AdminAnswer text_answer(int status, std::string text) {
  AdminAnswer answer;
  answer.status = status;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = std::move(text);
  return answer;
}

Json attention_json(Context& context) {
  Json items = Json::array();
  for (const master::Attention& one : context.master.attention()) {
    items.push_back({{"severity", one.severity}, {"code", one.code}, {"message", one.message}, {"command", one.command}});
  }
  return items;
}

}  // namespace

AdminAnswer get_livez(const AdminRequest&, Context& context) {
  return context.master.alive() ? text_answer(200, "alive\n") : text_answer(503, "the master's loop does not turn\n");
}

AdminAnswer get_readyz(const AdminRequest& request, Context& context) {
  const master::Readiness readiness = context.master.readiness();
  if (!readiness.ready) return text_answer(503, readiness.why + "\n");
  if (!readiness.degraded) return text_answer(200, "ready\n");
  return text_answer(request.value("strict") == "true" ? 503 : 200, "degraded: " + readiness.why + "\n");
}

AdminAnswer get_status(const AdminRequest&, Context& context) {
  const auto active = context.master.configuration().active();
  const master::Readiness readiness = context.master.readiness();
  uint64_t connections = 0;
  uint64_t in_flight = 0;
  Json workers = Json::array();
  for (const master::WorkerInfo& worker : context.master.pool().list()) {
    connections += worker.connections;
    in_flight += worker.in_flight;
    workers.push_back({{"slot", worker.slot}, {"state", worker.state}});
  }
  Json json{{"version", "0.1.0"}, {"ready", readiness.ready}, {"degraded", readiness.degraded}, {"why", readiness.why},
            {"uptime", config::format_duration(std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - context.master.started()).count() * 1000)},
            {"config_source", context.master.bootstrap().config_source}, {"revision", nullptr}};
  if (active) {
    json["revision"] = {{"revision", active->revision.number}, {"author", active->revision.author}, {"created", active->revision.created}, {"message", active->revision.message}};
    json["hosts"] = active->document.hosts.size();
    json["upstreams"] = active->document.upstreams.size();
  }
  json["connections"] = connections;
  json["in_flight"] = in_flight;
  json["workers"] = std::move(workers);
  json["attention"] = attention_json(context);
  return json_answer(json);
}

AdminAnswer post_reload(const AdminRequest&, Context& context) {
  const auto reloaded = context.master.reload();
  if (!reloaded) return problem("invalid", reloaded.error().message, {{"errors", problems_json(reloaded.error().problems)}});
  return json_answer({{"reloaded", true}});
}

AdminAnswer post_shutdown(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  milliseconds grace = context.master.bootstrap().shutdown_grace;
  if (body.json.contains("grace")) {
    const auto parsed = body.json["grace"].is_string() ? config::parse_duration(body.json["grace"].get<std::string>()) : std::nullopt;
    if (!parsed) return problem("invalid", "grace is a duration, as \"60s\"", {{"errors", Json::array()}});
    grace = milliseconds(*parsed);
  }
  if (!request.dry_run()) context.master.shut_down(grace);
  return json_answer({{"stopping", true}, {"grace", config::format_duration(grace.count())}}, 202);
}

AdminAnswer get_open_api(const AdminRequest&, Context&) { return json_answer(open_api()); }

AdminAnswer get_schema(const AdminRequest&, Context&) {
  AdminAnswer answer = json_answer(config::json_schema());
  answer.content_type = "application/schema+json";
  return answer;
}

AdminAnswer get_problem(const AdminRequest& request, Context&) {
  const std::string& code = request.parameters.at("code");
  const int status = status_of_problem(code);
  if (status == 500) return problem("not-found", fmt::format("there is no problem '{}'", code));
  return json_answer({{"code", code}, {"status", status}});
}

AdminAnswer get_root(const AdminRequest&, Context&) {
  AdminAnswer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.body = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>proxyd</title></head><body><h1>proxyd</h1>"
                "<p>The admin API is at <code>/api/v1</code>; <code>/api/v1/openapi.json</code> describes it. This version has no browser UI: use <code>proxyctl</code>.</p></body></html>\n";
  answer.fields["Content-Security-Policy"] = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
  return answer;
}

AdminAnswer get_rejects(const AdminRequest& request, Context& context) {
  constexpr size_t kMost = 256;
  Json items = Json::array();
  for (const status::Reject& one : context.master.regions().rejects().newest(kMost)) {
    const bool wanted = (request.value("client").empty() || one.peer == request.value("client")) && (request.value("reason").empty() || one.reason == request.value("reason"));
    if (!wanted) continue;
    const auto time = std::chrono::system_clock::time_point(milliseconds(one.time_ms));
    items.push_back({{"time", rfc3339(time)}, {"from", one.from_upstream ? "upstream" : "client"}, {"peer", one.peer}, {"reason", one.reason}, {"offset", one.fault_offset}, {"excerpt", one.excerpt}});
  }
  return json_answer({{"items", std::move(items)}, {"next_cursor", nullptr}});
}

AdminAnswer patch_log_level(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  const std::string name = body.json.value("level", "");
  const auto level = log_level_from(name);
  if (!level) return problem("invalid", "level is debug, info, warning or error", {{"errors", Json::array()}});
  if (!request.dry_run()) {
    context.master.log().set_level(*level);
    context.master.pool().broadcast(ipc::MessageType::kLogLevel, {{"level", name}});
  }
  return json_answer({{"level", name}});
}

}  // namespace proxyd::admin
