#include "master/admin/resources/target_json.h"

#include <fmt/format.h>

#include "master/admin/resources/health_json.h"
#include "master/target_subject.h"
#include "shared/config/units.h"
#include "shared/metrics/labels.h"

namespace proxyd::admin {
namespace {

Json overrides_of(const config::Upstream& upstream, const config::Target& target, Context& context) {
  Json overrides = Json::array();
  const auto stored = context.master.store().overrides();
  for (const store::Override& one : stored ? *stored : std::vector<store::Override>()) {
    const auto subject = master::TargetSubject::parse(one.subject);
    if (!subject || subject->upstream != upstream.name || subject->target != target.id) continue;
    Json item{{"kind", one.kind}, {"owner", one.owner}, {"reason", one.reason}, {"created", one.created}};
    if (!one.value.empty()) item["value"] = one.value;
    if (!one.expires.empty()) item["expires"] = one.expires;
    overrides.push_back(std::move(item));
  }
  return overrides;
}

uint64_t sum_of(const metrics::MetricsRegion& region, const char* name, const std::string& labels) {
  const auto row = region.find(name, labels);
  return row ? region.sum(*row) : 0;
}

Json counters_of(const std::string& labels, Context& context) {
  const metrics::MetricsRegion& region = context.master.regions().metrics();
  Json responses = Json::object();
  for (const int status_class : {1, 2, 3, 4, 5})
    responses[fmt::format("{}xx", status_class)] =
        sum_of(region, "proxyd_upstream_requests_total", metrics::with(labels, metrics::class_label(status_class)));
  return {{"responses", std::move(responses)},
          {"connects",
           sum_of(region, "proxyd_upstream_connect_total", metrics::with(labels, metrics::label("result", "ok")))},
          {"connects_failed",
           sum_of(region, "proxyd_upstream_connect_total", metrics::with(labels, metrics::label("result", "failed")))},
          {"reused", sum_of(region, "proxyd_upstream_connections_reused_total", labels)}};
}

// Who added it, and until when it stays.
void add_membership(Json& json, const master::Member& member, const std::string& name, Context& context) {
  json["added"] = member.created;
  json["added_by"] = member.author;
  json["lease"] = member.lease.count() > 0 ? Json(config::format_duration(member.lease.count())) : Json(nullptr);
  const auto ends = context.master.configuration().leases().ends(name);
  if (ends && member.leaving.empty())
    json["lease_ends"] =
        rfc3339(std::chrono::system_clock::now() + std::chrono::duration_cast<milliseconds>(*ends - Clock::now()));
  if (!member.leaving.empty()) json["reason"] = member.leaving;
}

Json in_flight_by_worker(const std::vector<uint32_t>& rows, const status::StatusRegion& status) {
  Json items = Json::array();
  for (uint32_t slot = 0; slot < status.slots_in_use(); ++slot) {
    uint32_t count = 0;
    for (const uint32_t row : rows) count += status.in_flight(slot, row).load();
    if (count > 0) items.push_back({{"slot", slot}, {"in_flight", count}});
  }
  return items;
}

// Those in the balancing. A request may also be at one that was, and then counts for the target alone.
Json addresses_of(const config::Upstream& upstream, const config::Target& target,
                  const config::TargetMaterial& material, const status::StatusRegion& status) {
  Json items = Json::array();
  const uint64_t now = master::RegionKeeper::heartbeat_now();
  for (const config::TargetPlace& place : material.places) {
    const master::TargetState state = master::state_of(upstream, target, material, place, status, now);
    Json item{{"address", place.address},
              {"state", state.word},
              {"in_flight", status.in_flight_sum(place.row)},
              {"connections", status.connections_sum(place.row)},
              {"health", health_json(status.health(place.row))}};
    if (!state.reason.empty()) item["reason"] = state.reason;
    items.push_back(std::move(item));
  }
  return items;
}

}   // namespace

bool is_up(const master::ActiveConfiguration& active, const std::string& upstream, const std::string& target,
           Context& context) {
  const auto settings = active.document.upstreams.find(upstream);
  const auto material = active.targets.find(upstream + "/" + target);
  if (settings == active.document.upstreams.end() || material == active.targets.end()) return false;
  const auto declared = settings->second.targets.find(target);
  return declared != settings->second.targets.end() &&
         master::gets_requests(state_now(settings->second, declared->second, material->second, context).word);
}

master::TargetState state_now(const config::Upstream& upstream, const config::Target& target,
                              const config::TargetMaterial& material, Context& context) {
  return master::state_of(upstream, target, material, context.master.regions().status(),
                          master::RegionKeeper::heartbeat_now());
}

Json target_json(const master::ActiveConfiguration& active, const config::Upstream& upstream,
                 const config::Target& target, Context& context) {
  const config::TargetMaterial& material = active.targets.at(upstream.name + "/" + target.id);
  const status::StatusRegion& status = context.master.regions().status();
  const std::vector<uint32_t> rows = material.rows();
  const bool dynamic = upstream.membership == config::Membership::kDynamic;
  uint32_t in_flight = 0;
  uint32_t connections = 0;
  for (const uint32_t row : rows) {
    in_flight += status.in_flight_sum(row);
    connections += status.connections_sum(row);
  }
  const master::TargetState state = state_now(upstream, target, material, context);
  Json json{{"id", target.id},
            {"address", target.address},
            {"state", state.word},
            {"since", wall_time(state.since_ms)},
            {"weight", target.weight},
            {"effective_weight", state.weight},
            {"backup", target.backup},
            {"max_connections", target.max_connections ? Json(*target.max_connections) : Json(nullptr)},
            {"in_flight", in_flight},
            {"in_flight_by_worker", in_flight_by_worker(rows, status)},
            {"connections", connections},
            {"addresses", addresses_of(upstream, target, material, status)},
            {"counters", dynamic ? Json(nullptr)   // all of them together are counted for the upstream
                                 : counters_of(metrics::target_labels(upstream.name, target.id), context)}};
  if (state.starting < 100) json["starting_percent"] = state.starting;
  if (!state.reason.empty()) json["reason"] = state.reason;
  if (dynamic)
    add_membership(json, active.members.at(upstream.name).at(target.id), upstream.name + "/" + target.id, context);
  json["overrides"] = overrides_of(upstream, target, context);
  return json;
}

Json dynamic_counters(const config::Upstream& upstream, Context& context) {
  return counters_of(metrics::dynamic_target_labels(upstream.name), context);
}

}   // namespace proxyd::admin
