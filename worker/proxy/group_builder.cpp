#include "worker/proxy/group_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "shared/metrics/error_tokens.h"
#include "shared/metrics/labels.h"
#include "worker/proxy/affinity.h"

namespace proxyd::proxy {
namespace {

constexpr uint32_t kNobodysRow = status::kTargetRows - 1;

// What an address has of its target's weight: something, where that has any.
uint32_t share_of(uint32_t weight, uint32_t share) {
  return weight == 0 ? 0 : static_cast<uint32_t>(std::max<uint64_t>(1, uint64_t{weight} * share / 100));
}

std::string with_port(const std::string& address, std::optional<uint16_t> port) {
  if (!port || address.starts_with("unix:") || address.empty()) return address;
  return address.substr(0, address.rfind(':') + 1) + std::to_string(*port);
}

}   // namespace

std::shared_ptr<upstream::Target> GroupBuilder::target_for(uint32_t row, const std::string& address,
                                                           config::UpstreamProtocol protocol,
                                                           UpstreamTls::Context tls) {
  // As long as the target lives its context does, so no other can have that place.
  const std::string key =
      fmt::format("{} {} {} {}", row, address, static_cast<int>(protocol), static_cast<const void*>(tls.get()));
  std::shared_ptr<upstream::Target>& target = targets_[key];
  if (!target) target = std::make_shared<upstream::Target>(services_, row, address, std::move(tls), protocol);
  return target;
}

// Checks have connections of their own, which no request sees and which are in no count.
std::shared_ptr<upstream::Target> GroupBuilder::probe_for(const config::Upstream& settings,
                                                          const config::TargetPlace& place, UpstreamTls::Context tls) {
  const config::ActiveHealth& active = *settings.health.active;
  const bool as_traffic = active.type == config::CheckType::kHttp || active.type == config::CheckType::kGrpc;
  const bool secured = settings.tls.has_value();
  const auto protocol = as_traffic || (secured && active.type == config::CheckType::kHttps)
                            ? settings.protocol
                            : config::UpstreamProtocol::kH1;
  auto probe = target_for(kNobodysRow, with_port(place.address, active.port), protocol, std::move(tls));
  probe->set_limits({.max_idle = 0});
  const metrics::Cell nobodys(uncounted_.get());
  probe->set_counters({{nobodys, nobodys, nobodys, nobodys, nobodys}, nobodys, nobodys, nobodys});
  return probe;
}

Result<UpstreamTls::Context> GroupBuilder::probe_tls(const config::Upstream& settings, const config::Target& target,
                                                     const config::Materials& materials,
                                                     const UpstreamTls::Context& own) {
  const config::ActiveHealth& active = *settings.health.active;
  if (active.type == config::CheckType::kTcp) return UpstreamTls::Context();
  if (active.type != config::CheckType::kHttps || settings.tls) return own;
  config::Upstream secured = settings;
  secured.tls = config::UpstreamTls{};
  if (active.host) secured.host = *active.host;
  return upstream_tls_.context_for(secured, target, materials);
}

upstream::Target::Counters GroupBuilder::counters_of(const config::Upstream& upstream,
                                                     const std::string& target) const {
  const bool dynamic = upstream.membership == config::Membership::kDynamic;
  const std::string labels =
      dynamic ? metrics::dynamic_target_labels(upstream.name) : metrics::target_labels(upstream.name, target);
  upstream::Target::Counters counters;
  for (size_t i = 0; i < 5; ++i)
    counters.by_class[i] =
        cell("proxyd_upstream_requests_total", metrics::with(labels, metrics::class_label(static_cast<int>(i + 1))));
  counters.connected = cell("proxyd_upstream_connect_total", metrics::with(labels, metrics::label("result", "ok")));
  counters.connect_failed =
      cell("proxyd_upstream_connect_total", metrics::with(labels, metrics::label("result", "failed")));
  counters.reused = cell("proxyd_upstream_connections_reused_total", labels);
  return counters;
}

// Each address of the target is a member; one that has none is there all the same, for who asks why.
Result<void> GroupBuilder::add_members(Group& group, const config::Upstream& settings, const config::Target& target,
                                       const config::Materials& materials) {
  const auto found = materials.targets.find(settings.name + "/" + target.id);
  const config::TargetMaterial material = found == materials.targets.end() ? config::TargetMaterial{} : found->second;
  auto tls = upstream_tls_.context_for(settings, target, materials);
  if (!tls) return tls.error();
  auto check_tls = settings.health.active ? probe_tls(settings, target, materials, *tls) : UpstreamTls::Context();
  if (!check_tls) return check_tls.error();
  const uint32_t weight = material.weight.value_or(target.weight);
  const auto places = material.places.empty() ? std::vector{config::TargetPlace{"", kNobodysRow}} : material.places;
  const upstream::Target::Counters counters = counters_of(settings, target.id);
  for (const config::TargetPlace& place : places) {
    upstream::Member member{.id = target.id,
                            .target = target_for(place.row, place.address, settings.protocol, *tls),
                            .weight = share_of(weight, place.share),
                            .admission = material.admission,
                            .backup = target.backup || place.reserve,
                            .max_connections = target.max_connections,
                            .slow_start = target.slow_start.value_or(settings.slow_start)};
    if (settings.sticky) member.mark = Affinity::mark_of(materials.sticky_key, settings.name, target.id, place.address);
    if (settings.health.active && !place.address.empty()) member.probe = probe_for(settings, place, *check_tls);
    member.target->set_counters(counters);
    group.has_limits = group.has_limits || target.max_connections.has_value();
    group.members.push_back(std::move(member));
  }
  return {};
}

void GroupBuilder::add_health(Group& group, const config::Upstream& settings, const config::Materials& materials) {
  if (settings.health.passive) {
    std::vector<uint32_t> rows;
    for (const upstream::Member& member : group.members) {
      if (member.is_admitted()) rows.push_back(member.target->row());
    }
    group.passive = std::make_shared<upstream::PassiveHealth>(*settings.health.passive, services_.status, group.row,
                                                              std::move(rows), settings.health.active.has_value());
  }
  if (!settings.health.active) return;
  auto check = std::make_shared<upstream::CheckRules>();
  check->active = *settings.health.active;
  for (const auto& [name, value] : check->active.headers) {
    const auto file = value.is_file ? materials.files.find(value.text) : materials.files.end();
    check->fields.emplace_back(name, file == materials.files.end() ? value.text : file->second);
  }
  group.check = std::move(check);
}

// As nginx names its servers: by the address that the document gives, or by each that a name resolved to.
void GroupBuilder::add_ring(Group& group, const config::Upstream& settings) {
  if (settings.balance != config::Balance::kConsistentHash) return;
  std::vector<upstream::KetamaRing::Owner> owners;
  for (const upstream::Member& member : group.members)
    owners.push_back({member.target->where(), member.backup ? 0 : member.weight});
  std::shared_ptr<const upstream::KetamaRing>& ring = rings_[settings.name];
  if (!ring || ring->owners() != owners) ring = std::make_shared<const upstream::KetamaRing>(std::move(owners));
  group.ring = ring;
}

void GroupBuilder::add_line(Group& group, const config::Upstream& settings) {
  if (!settings.queue || !group.has_limits) return;
  std::shared_ptr<upstream::WaitingLine>& line = lines_[fmt::format("{} {}", settings.name, group.row)];
  if (!line)
    line = std::make_shared<upstream::WaitingLine>(services_.loop, services_.status, services_.slot, group.row);
  group.line = line;
  group.queue = *settings.queue;
}

void GroupBuilder::add_counters(Group& group) const {
  const std::string own = metrics::upstream_labels(group.name);
  group.retries = cell("proxyd_upstream_retries_total", own);
  group.queued = cell("proxyd_upstream_queued_total", own);
  for (size_t i = 0; i < metrics::kErrorTokens.size(); ++i) {
    group.errors[i] =
        cell("proxyd_upstream_errors_total", metrics::with(own, metrics::label("token", metrics::kErrorTokens[i])));
  }
}

Result<upstream::UpstreamGroup> GroupBuilder::build(const config::Upstream& settings, uint32_t index,
                                                    const config::Materials& materials) {
  Group group;
  group.name = settings.name;
  group.index = index;
  group.status = &services_.status;
  group.balance = settings.balance;
  group.panic_threshold = settings.panic_threshold;
  group.host = settings.host;
  group.retry = settings.retry;
  if (const auto row = materials.upstreams.find(settings.name); row != materials.upstreams.end())
    group.row = row->second;
  for (const auto& [id, target] : settings.targets) {
    const auto added = add_members(group, settings, target, materials);
    if (!added) return added.error();
  }
  add_health(group, settings, materials);
  add_ring(group, settings);
  add_line(group, settings);
  add_counters(group);
  return group;
}

void GroupBuilder::settle(const std::map<std::string, Group>& current, const config::Document& document) {
  std::set<const upstream::Target*> named;
  std::set<const upstream::WaitingLine*> lines;
  for (const auto& [name, group] : current) {
    if (group.line) group.line->set_size(group.queue.size);
    lines.insert(group.line.get());
    for (const upstream::Member& member : group.members) {
      member.target->set_limits(document.upstreams.at(name).keepalive);
      member.target->set_health(group.passive, group.line);
      named.insert(member.target.get());
      named.insert(member.probe.get());
    }
  }
  upstream_tls_.settle();
  std::erase_if(rings_, [&](const auto& one) {
    const auto group = current.find(one.first);
    return group == current.end() || group->second.ring != one.second;
  });
  std::erase_if(lines_, [&](const auto& one) { return !lines.contains(one.second.get()); });
  std::erase_if(targets_, [&named](const auto& entry) {
    if (named.contains(entry.second.get())) return false;
    entry.second->retire();
    return true;
  });
}

}   // namespace proxyd::proxy
