#include <fmt/format.h>

#include "master/admin/open_api.h"
#include "master/admin/resources/handlers.h"
#include "master/process_overrides.h"
#include "master/site_override.h"
#include "master/target_subject.h"
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

std::string undo_of(const store::Override& one) {
  using Process = master::ProcessOverrides::Subject;
  const auto process = master::ProcessOverrides::parse(one.subject);
  if (process) return *process == Process::kWorkers ? "proxyctl worker scale auto" : "proxyctl logs level default";
  if (const auto site = master::SiteSubject::parse(one.subject)) {
    if (site->route.empty()) return "proxyctl host ready " + site->host;
    return fmt::format("proxyctl route split {} {} --undo", site->host, site->route);
  }
  const auto subject = master::TargetSubject::parse(one.subject);
  if (!subject) return "proxyctl upstream list";
  const std::string target = subject->upstream + " " + subject->target;
  const bool weight = subject->aspect == master::TargetSubject::Aspect::kWeight;
  return weight ? "proxyctl upstream weight " + target + " 100%" : "proxyctl upstream ready " + target;
}

// Those that the document closes; what an operator closes is among the overrides.
void add_closed_hosts(std::vector<master::Attention>& all, const config::Document& document) {
  for (const auto& [name, host] : document.hosts) {
    if (host.maintenance)
      all.push_back({"info", "maintenance",
                     fmt::format("host '{}' is in maintenance, as the document says: its requests get 503", name),
                     "proxyctl host list"});
  }
}

void add_overrides(std::vector<master::Attention>& all, const std::vector<store::Override>& overrides) {
  for (const store::Override& one : overrides) {
    const std::string value = one.value.empty() ? "" : " " + one.value;
    all.push_back(
        {"info", "override",
         fmt::format("{}{} of {} by {} since {}{}{}", one.kind, value, one.subject, one.owner, one.created,
                     one.expires.empty() ? "" : ", until " + one.expires, one.reason.empty() ? "" : ": " + one.reason),
         undo_of(one)});
  }
}

// What needs a person, the most severe first.
Json attention_json(Context& context) {
  std::vector<master::Attention> all = context.master.attention();
  const auto active = context.master.configuration().active();
  if (active) add_closed_hosts(all, active->document);
  const auto overrides = context.master.store().overrides();
  if (overrides) add_overrides(all, *overrides);
  if (!overrides)
    all.push_back(
        {"error", "store", "the store cannot be read: " + overrides.error().message, "proxyctl config history"});
  Json items = Json::array();
  for (const char* severity : {"error", "warning", "info"}) {
    for (const master::Attention& one : all) {
      if (one.severity == severity)
        items.push_back(
            {{"severity", one.severity}, {"code", one.code}, {"message", one.message}, {"command", one.command}});
    }
  }
  return items;
}

}   // namespace

AdminAnswer get_livez(const AdminRequest&, Context& context) {
  return context.master.alive() ? text_answer(200, "alive\n") : text_answer(503, "the master's loop does not turn\n");
}

AdminAnswer get_readyz(const AdminRequest& request, Context& context) {
  const master::Readiness readiness = context.master.readiness();
  if (!readiness.ready) return text_answer(503, readiness.why + "\n");
  if (!readiness.degraded) return text_answer(200, "ready\n");
  return text_answer(request.flag("strict") ? 503 : 200, "degraded: " + readiness.why + "\n");
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
  Json json{
      {"version", PROXYD_VERSION},
      {"ready", readiness.ready},
      {"degraded", readiness.degraded},
      {"why", readiness.why},
      {"uptime",
       config::format_duration(
           std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - context.master.started()).count() * 1000)},
      {"kernel_tls", context.master.kernel_tls().any()},
      {"config_source", context.master.bootstrap().config_source},
      {"admin_url", nullptr},
      {"revision", nullptr}};
  const std::string& address = context.master.bootstrap().admin_address;
  if (address != "off") json["admin_url"] = fmt::format("http://{}/", address);
  if (active) {
    json["revision"] = {{"revision", active->revision.number},
                        {"author", active->revision.author},
                        {"created", active->revision.created},
                        {"message", active->revision.message}};
    json["hosts"] = active->document.hosts.size();
    json["upstreams"] = active->document.upstreams.size();
  }
  json["connections"] = connections;
  json["in_flight"] = in_flight;
  json["workers"] = std::move(workers);
  json["attention"] = attention_json(context);
  return json_answer(json);
}

AdminAnswer get_open_api(const AdminRequest&, Context&) { return json_answer(open_api()); }

AdminAnswer get_schema(const AdminRequest&, Context&) {
  AdminAnswer answer = json_answer(config::json_schema());
  answer.content_type = "application/schema+json";
  return answer;
}

AdminAnswer get_problem(const AdminRequest& request, Context&) {
  const std::string& code = request.parameters.at("code");
  const auto status = status_of_problem(code);
  if (!status) return problem("not-found", fmt::format("there is no problem '{}'", code));
  return json_answer({{"code", code}, {"status", *status}, {"title", title_of_problem(code)}});
}

AdminAnswer get_root(const AdminRequest&, Context&) {
  AdminAnswer answer;
  answer.content_type = "text/html; charset=utf-8";
  answer.body =
      "<!doctype html>\n<html lang=\"en\"><head><meta "
      "charset=\"utf-8\"><title>proxyd</title></head><body><h1>proxyd</h1>"
      "<p>The admin API is at <code>/api/v1</code>; <code>/api/v1/openapi.json</code> describes it. This version has "
      "no browser UI: use <code>proxyctl</code>.</p></body></html>\n";
  answer.fields["Content-Security-Policy"] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri "
      "'none'; form-action 'self'; frame-ancestors 'none'";
  return answer;
}

}   // namespace proxyd::admin
