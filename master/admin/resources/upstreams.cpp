#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "master/admin/change.h"
#include "master/admin/resources/handlers.h"
#include "shared/config/units.h"

namespace proxyd::admin {
namespace {

constexpr milliseconds kLongestWait{600'000};
constexpr milliseconds kLook{20};

using Active = std::shared_ptr<const master::ActiveConfiguration>;

std::string state_of(const config::TargetMaterial& material) {
  if (material.admission == config::Admission::kDraining) return "draining";
  if (material.admission == config::Admission::kMaintenance) return "maintenance";
  return material.addresses.empty() ? "checking" : "up";
}

Json target_json(const Active& active, const config::Upstream& upstream, const config::Target& target, Context& context) {
  const config::TargetMaterial& material = active->targets.at(upstream.name + "/" + target.id);
  const status::StatusRegion& status = context.master.regions().status();
  Json json{{"id", target.id}, {"address", target.address}, {"state", state_of(material)}, {"weight", target.weight},
            {"effective_weight", material.admission == config::Admission::kReady ? material.weight.value_or(target.weight) : 0},
            {"backup", target.backup}, {"in_flight", status.in_flight_sum(material.row)}, {"connections", status.connections_sum(material.row)}};
  if (material.addresses.empty()) json["reason"] = "the name does not resolve";
  Json overrides = Json::array();
  const auto stored = context.master.store().overrides();
  const std::string prefix = fmt::format("target:{}/{}:", upstream.name, target.id);
  for (const store::Override& one : stored ? *stored : std::vector<store::Override>()) {
    if (!one.subject.starts_with(prefix)) continue;
    Json item{{"kind", one.kind}, {"owner", one.owner}, {"reason", one.reason}, {"created", one.created}};
    if (!one.value.empty()) item["value"] = one.value;
    if (!one.expires.empty()) item["expires"] = one.expires;
    overrides.push_back(std::move(item));
  }
  json["overrides"] = std::move(overrides);
  return json;
}

Json upstream_json(const Active& active, const config::Upstream& upstream, Context& context) {
  Json targets = Json::array();
  for (const auto& [id, target] : upstream.targets) targets.push_back(target_json(active, upstream, target, context));
  return {{"name", upstream.name}, {"balance", upstream.balance == config::Balance::kP2c ? "p2c" : "round_robin"}, {"membership", "declared"}, {"targets", std::move(targets)}};
}

// What the path names, or the answer why not.
struct Wanted {
  Active active;
  const config::Upstream* upstream = nullptr;
  const config::Target* target = nullptr;
  AdminAnswer refusal;
};

Wanted find(const AdminRequest& request, Context& context) {
  Wanted wanted{context.master.configuration().active(), nullptr, nullptr, {}};
  const std::string& name = request.parameters.at("u");
  const auto upstream = wanted.active ? wanted.active->document.upstreams.find(name) : decltype(wanted.active->document.upstreams.end()){};
  if (!wanted.active || upstream == wanted.active->document.upstreams.end()) {
    wanted.refusal = problem("not-found", fmt::format("there is no upstream '{}'", name));
    return wanted;
  }
  wanted.upstream = &upstream->second;
  const auto id = request.parameters.find("t");
  if (id == request.parameters.end()) return wanted;
  const auto target = upstream->second.targets.find(id->second);
  if (target != upstream->second.targets.end()) {
    wanted.target = &target->second;
  } else {
    wanted.refusal = problem("not-found", fmt::format("upstream '{}' has no target '{}'", name, id->second));
  }
  return wanted;
}

// Until nothing is in flight at the target, or the time is over; says what is left.
uint32_t wait_for_idle(Context& context, uint32_t row, milliseconds limit) {
  const Instant end = Clock::now() + limit;
  const status::StatusRegion& status = context.master.regions().status();
  while (status.in_flight_sum(row) > 0 && Clock::now() < end) std::this_thread::sleep_for(kLook);
  return status.in_flight_sum(row);
}

std::optional<milliseconds> duration_in(const std::string& text) {
  const auto parsed = config::parse_duration(text);
  return parsed ? std::optional(milliseconds(*parsed)) : std::nullopt;
}

std::string expiry_of(const Json& body) {
  if (!body.contains("for") || !body["for"].is_string()) return {};
  const auto time = duration_in(body["for"].get<std::string>());
  return time ? rfc3339(std::chrono::system_clock::now() + *time) : "";
}

// Puts an override on the target, and answers with what the target is now.
AdminAnswer put_override(const AdminRequest& request, Context& context, const std::string& aspect, const std::string& kind, const std::string& value, const Json& body) {
  const Wanted wanted = find(request, context);
  if (!wanted.target) return wanted.refusal;
  const std::string reason = body.contains("reason") && body["reason"].is_string() ? body["reason"].get<std::string>() : "";
  const std::string subject = fmt::format("target:{}/{}:{}", wanted.upstream->name, wanted.target->id, aspect);
  if (!request.dry_run()) {
    const auto put = context.master.configuration().put_override({subject, kind, value, request.identity.name, reason, rfc3339(std::chrono::system_clock::now()), expiry_of(body)});
    if (!put) return failure_answer(put.error(), context);
    context.master.events().publish("target", {{"upstream", wanted.upstream->name}, {"target", wanted.target->id}, {"state", kind}, {"owner", request.identity.name}});
  }
  const Wanted now = find(request, context);
  return now.target ? json_answer(target_json(now.active, *now.upstream, *now.target, context)) : now.refusal;
}

}  // namespace

AdminAnswer list_upstreams(const AdminRequest&, Context& context) {
  const Active active = context.master.configuration().active();
  Json items = Json::array();
  if (active) {
    for (const auto& [name, upstream] : active->document.upstreams) items.push_back(upstream_json(active, upstream, context));
  }
  return json_answer({{"items", std::move(items)}, {"next_cursor", nullptr}});
}

AdminAnswer get_upstream(const AdminRequest& request, Context& context) {
  const Wanted wanted = find(request, context);
  return wanted.upstream ? json_answer(upstream_json(wanted.active, *wanted.upstream, context)) : wanted.refusal;
}

AdminAnswer get_target(const AdminRequest& request, Context& context) {
  const Wanted wanted = find(request, context);
  return wanted.target ? json_answer(target_json(wanted.active, *wanted.upstream, *wanted.target, context)) : wanted.refusal;
}

AdminAnswer put_target(const AdminRequest& request, Context& context) {
  const Wanted wanted = find(request, context);
  if (!wanted.upstream) return wanted.refusal;
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  if (request.if_none_match == "*" && wanted.target) return problem("already-exists", fmt::format("target '{}' is there already", request.parameters.at("t")));
  Json document = active_document(context);
  document["upstreams"][wanted.upstream->name]["targets"][request.parameters.at("t")] = body.json;
  return change_document(request, context, document);
}

AdminAnswer patch_target(const AdminRequest& request, Context& context) {
  const Wanted wanted = find(request, context);
  if (!wanted.target) return wanted.refusal;
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  Json document = active_document(context);
  merge_patch(document["upstreams"][wanted.upstream->name]["targets"][wanted.target->id], body.json);
  return change_document(request, context, document);
}

// Drains first, unless forced, then takes the target out of the document.
AdminAnswer delete_target(const AdminRequest& request, Context& context) {
  const Wanted wanted = find(request, context);
  if (!wanted.target) return wanted.upstream && request.value("missing_ok") == "true" ? json_answer({{"changes", Json::array()}}) : wanted.refusal;
  const bool force = request.value("force") == "true";
  if (wanted.upstream->targets.size() == 1 && !force) return problem("last-target", fmt::format("'{}' is the last target of '{}'; ?force=true removes it all the same", wanted.target->id, wanted.upstream->name));
  const auto drain = duration_in(request.value("drain", "30s"));
  if (!drain || *drain > kLongestWait) return problem("malformed", "drain is a duration of at most 10m, as 30s");
  uint32_t left = 0;
  if (!force && !request.dry_run()) {
    const AdminAnswer draining = put_override(request, context, "admission", "drain", "", Json{{"reason", "removal"}});
    if (draining.status != 200) return draining;
    left = wait_for_idle(context, wanted.active->targets.at(wanted.upstream->name + "/" + wanted.target->id).row, *drain);
  }
  Json document = active_document(context);
  document["upstreams"][wanted.upstream->name]["targets"].erase(wanted.target->id);
  AdminAnswer answer = change_document(request, context, document);
  if (answer.status != 200 || left == 0) return answer;
  Json json = Json::parse(answer.body);
  json["in_flight"] = left;
  answer.body = json.dump() + "\n";
  return answer;
}

AdminAnswer drain_target(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  const Wanted wanted = find(request, context);
  if (!wanted.target) return wanted.refusal;
  AdminAnswer answer = put_override(request, context, "admission", "drain", "", body.json);
  const auto wait = duration_in(request.value("wait", "0s"));
  if (answer.status != 200 || !wait || request.dry_run()) return answer;
  const uint32_t left = wait_for_idle(context, wanted.active->targets.at(wanted.upstream->name + "/" + wanted.target->id).row, std::min(*wait, kLongestWait));
  Json json = Json::parse(answer.body);
  json["in_flight"] = left;
  json["drained"] = left == 0;
  answer.body = json.dump() + "\n";
  return answer;
}

AdminAnswer maintain_target(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  return body.refusal ? *body.refusal : put_override(request, context, "admission", "maintenance", "", body.json);
}

AdminAnswer ready_target(const AdminRequest& request, Context& context) {
  const Wanted wanted = find(request, context);
  if (!wanted.target) return wanted.refusal;
  const auto cleared = context.master.configuration().clear_override(fmt::format("target:{}/{}:admission", wanted.upstream->name, wanted.target->id));
  if (!cleared) return failure_answer(cleared.error(), context);
  const Wanted now = find(request, context);
  return now.target ? json_answer(target_json(now.active, *now.upstream, *now.target, context)) : now.refusal;
}

// { "weight": 50 } or { "weight": "50%" } of the document's.
AdminAnswer weigh_target(const AdminRequest& request, Context& context) {
  const Body body = read_json_body(request);
  if (body.refusal) return *body.refusal;
  const Wanted wanted = find(request, context);
  if (!wanted.target) return wanted.refusal;
  const Json weight = body.json.value("weight", Json());
  int64_t value = weight.is_number_integer() ? weight.get<int64_t>() : -1;
  if (weight.is_string() && weight.get<std::string>().ends_with('%')) {
    value = static_cast<int64_t>(wanted.target->weight) * std::strtol(weight.get<std::string>().c_str(), nullptr, 10) / 100;
  }
  if (value < 0 || value > 10000) return problem("invalid", "weight is a number from 0 to 10000, or a percentage of the document's", {{"errors", Json::array()}});
  return put_override(request, context, "weight", "weight", std::to_string(value), body.json);
}

}  // namespace proxyd::admin
