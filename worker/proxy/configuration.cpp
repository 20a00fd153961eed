#include "worker/proxy/configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "shared/config/decode.h"
#include "shared/config/membership.h"
#include "shared/metrics/error_tokens.h"
#include "shared/metrics/labels.h"
#include "worker/proxy/origin.h"

namespace proxyd::proxy {
namespace {

constexpr uint32_t kNobodysRow = status::kTargetRows - 1;

// What an address has of its target's weight: something, where that has any.
uint32_t share_of(uint32_t weight, uint32_t share) {
  return weight == 0 ? 0 : static_cast<uint32_t>(std::max<uint64_t>(1, uint64_t{weight} * share / 100));
}

}   // namespace

Configuration::Configuration(config::Snapshot from, config::Document decoded)
    : snapshot(std::move(from)),
      document(std::move(decoded)),
      trusted_proxies(document.trusted_proxies),
      matcher(document, snapshot.materials),
      cache_policies(document) {
  for (const auto& [name, list] : document.access_lists) access_lists.try_emplace(name, list);
  for (const auto& host : matcher.hosts()) {
    for (const auto& route : host->routes) {
      route_partitions.push_back(partitions_of(host->settings, *route));
      const bool forwards = route->settings.upstream || route->split;   // what we answer ourselves is in no cache
      route_policy.push_back(forwards ? cache_policies.of_route(route->settings) : nullptr);
    }
  }
}

std::shared_ptr<upstream::Target> ConfigurationBuilder::target_for(const config::TargetPlace& place,
                                                                   config::UpstreamProtocol protocol,
                                                                   UpstreamTls::Context tls) {
  // As long as the target lives its context does, so no other can have that place.
  const std::string key = fmt::format("{} {} {} {}", place.row, place.address, static_cast<int>(protocol),
                                      static_cast<const void*>(tls.get()));
  std::shared_ptr<upstream::Target>& target = targets_[key];
  if (!target)
    target = std::make_shared<upstream::Target>(services_, place.row, place.address, std::move(tls), protocol);
  return target;
}

upstream::Target::Counters ConfigurationBuilder::counters_of(const config::Upstream& upstream,
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
Result<void> ConfigurationBuilder::add_members(upstream::UpstreamGroup& group, const config::Upstream& settings,
                                               const config::Target& target, const config::Materials& materials) {
  const auto found = materials.targets.find(settings.name + "/" + target.id);
  const config::TargetMaterial material = found == materials.targets.end() ? config::TargetMaterial{} : found->second;
  auto tls = upstream_tls_.context_for(settings, target, materials);
  if (!tls) return tls.error();
  const uint32_t weight = material.weight.value_or(target.weight);
  const auto places = material.places.empty() ? std::vector{config::TargetPlace{"", kNobodysRow}} : material.places;
  const upstream::Target::Counters counters = counters_of(settings, target.id);
  for (const config::TargetPlace& place : places) {
    upstream::Member member{target.id,
                            target_for(place, settings.protocol, *tls),
                            share_of(weight, place.share),
                            material.admission,
                            target.backup || place.reserve,
                            target.max_connections};
    member.target->set_counters(counters);
    group.members.push_back(std::move(member));
  }
  return {};
}

Result<upstream::UpstreamGroup> ConfigurationBuilder::group_for(const config::Upstream& settings,
                                                                const config::Materials& materials) {
  upstream::UpstreamGroup group;
  group.name = settings.name;
  group.balance = settings.balance;
  group.host = settings.host;
  group.retry = settings.retry;
  if (const auto row = materials.upstreams.find(settings.name); row != materials.upstreams.end())
    group.turn_row = row->second;
  for (const auto& [id, target] : settings.targets) {
    const auto added = add_members(group, settings, target, materials);
    if (!added) return added.error();
  }
  std::vector<uint32_t> weights;
  for (size_t i = 0; i < group.members.size(); ++i) {
    const upstream::Member& member = group.members[i];
    if (!member.is_eligible()) continue;
    (member.backup ? group.backups : group.primaries).push_back(static_cast<uint16_t>(i));
    if (!member.backup) weights.push_back(member.weight);
  }
  for (const uint16_t place : upstream::smooth_weighted_turn(weights)) group.schedule.push_back(group.primaries[place]);
  const std::string own = metrics::upstream_labels(settings.name);
  group.retries = cell("proxyd_upstream_retries_total", own);
  for (size_t i = 0; i < metrics::kErrorTokens.size(); ++i) {
    group.errors[i] =
        cell("proxyd_upstream_errors_total", metrics::with(own, metrics::label("token", metrics::kErrorTokens[i])));
  }
  return group;
}

metrics::Cell ConfigurationBuilder::cell(std::string_view name, std::string_view labels) const {
  return metrics_ ? metrics_->cell(services_.slot, name, labels) : metrics::Cell();
}

RouteCells ConfigurationBuilder::cells_for(std::string_view host, std::string_view route) const {
  const std::string labels = metrics::route_labels(host, route);
  RouteCells cells;
  for (size_t i = 0; i < 5; ++i)
    cells.by_class[i] =
        cell("proxyd_http_requests_total", metrics::with(labels, metrics::class_label(static_cast<int>(i + 1))));
  if (metrics_) cells.duration = metrics_->histogram(services_.slot, "proxyd_http_request_duration_seconds", labels);
  cells.bytes_in = cell("proxyd_http_request_bytes_total", labels);
  cells.bytes_out = cell("proxyd_http_response_bytes_total", labels);
  return cells;
}

RateRule ConfigurationBuilder::rate_rule(const config::RateLimit& settings, const Configuration& built) const {
  const auto& numbers = built.snapshot.materials.limits;
  const auto number = numbers.find(settings.name);
  const auto count = [&](std::string_view result) {
    return cell("proxyd_rate_limit_total",
                metrics::with(metrics::label("limit", settings.name), metrics::label("result", result)));
  };
  const routing::AccessList* except = settings.except ? &built.access_lists.at(*settings.except) : nullptr;
  return {routing::RateLimit(settings, number == numbers.end() ? 0 : number->second, except), count("admitted"),
          count("denied"), count("observed")};
}

std::unique_ptr<const RouteGuard> ConfigurationBuilder::guard_of(const config::Route& route,
                                                                 const Configuration& built) const {
  const config::MaybeSize& most = route.limits.connections_per_client;
  if (route.access.empty() && route.rate_limits.empty() && !most) return nullptr;
  auto guard = std::make_unique<RouteGuard>();
  guard->requests_per_client = most;
  for (const std::string& name : route.access)
    guard->access.push_back(
        {&built.access_lists.at(name), cell("proxyd_access_denied_total", metrics::label("list", name))});
  for (const std::string& name : route.rate_limits) {
    const RateRule& rule = built.rate_limits.at(name);
    const bool at_origin = rule.limit.settings().count == config::RateLimit::Count::kOrigin;
    (at_origin ? guard->origin_rates : guard->rates).push_back(&rule);
  }
  return guard;
}

CacheCells ConfigurationBuilder::cache_cells_for(std::string_view host, std::string_view route) const {
  const std::string labels = metrics::route_labels(host, route);
  CacheCells cells;
  for (size_t i = 1; i < cells.by_result.size(); ++i) {
    const std::string_view word = to_string(static_cast<CacheResult>(i));
    cells.by_result[i] = cell("proxyd_cache_requests_total", metrics::with(labels, metrics::label("result", word)));
  }
  cells.served_bytes = cell("proxyd_cache_served_bytes_total", labels);
  for (size_t i = 1; i < cells.by_reason.size(); ++i) {
    const std::string_view word = metrics::to_string(static_cast<metrics::CacheReason>(i));
    cells.by_reason[i] = cell("proxyd_cache_reasons_total", metrics::with(labels, metrics::label("reason", word)));
  }
  return cells;
}

Result<RouteAuth> ConfigurationBuilder::auth_for(const config::Host& host, const config::Route& route,
                                                 const config::Materials& materials) {
  RouteAuth auth;
  if (route.auth.empty()) return auth;
  auto requirements = requirements_.of_route(route, materials);
  if (!requirements) return requirements.error();
  auth.requirements = std::move(*requirements);
  const std::string labels = metrics::route_labels(host.name, route.name);
  for (size_t i = 0; i < auth.by_result.size(); ++i) {
    auth.by_result[i] =
        cell("proxyd_auth_total", metrics::with(labels, metrics::label("result", metrics::kAuthResults[i])));
  }
  return auth;
}

Result<std::shared_ptr<const Configuration>, ConfigurationBuilder::Refusal> ConfigurationBuilder::build(
    config::Snapshot snapshot) {
  config::Decoded decoded = config::decode(snapshot.canonical, config::Format::kJson);
  if (!decoded.valid()) return Refusal{decoded.problems.front().pointer, decoded.problems.front().message};
  config::put_members(decoded.document, snapshot.materials.members);
  auto built = std::make_shared<Configuration>(std::move(snapshot), std::move(decoded.document));
  for (const auto& [name, settings] : built->document.upstreams) {
    auto group = group_for(settings, built->snapshot.materials);
    if (!group) return Refusal{fmt::format("/upstreams/{}/tls", name), group.error().message};
    built->upstreams.emplace(name, std::move(*group));
  }
  for (const auto& [name, settings] : built->document.rate_limits)
    built->rate_limits.emplace(name, rate_rule(settings, *built));
  for (const auto& host : built->matcher.hosts()) {
    built->hosts.push_back(cells_for(host->settings.name, "_none"));
    const auto& purge = host->settings.purge;
    const auto& files = built->snapshot.materials.files;
    built->purge_access.push_back(purge ? std::optional<routing::PurgeAccess>(std::in_place, *purge, files)
                                        : std::nullopt);
    for (const auto& route : host->routes) {
      built->routes.push_back(cells_for(host->settings.name, route->settings.name));
      const caching::Policy* policy = built->route_policy[route->index];
      built->caches.push_back(policy ? cache_cells_for(host->settings.name, route->settings.name) : CacheCells());
      built->route_guard.push_back(guard_of(route->settings, *built));
      auto auth = auth_for(host->settings, route->settings, built->snapshot.materials);
      if (!auth) return Refusal{fmt::format("/hosts/{}", host->settings.name), auth.error().message};
      built->route_auth.push_back(std::move(*auth));
      const auto& upstream = route->settings.upstream;
      built->route_upstream.push_back(upstream ? &built->upstreams.at(*upstream) : nullptr);
      std::vector<const upstream::UpstreamGroup*> split;
      if (route->split) {
        for (const std::string& name : route->split->upstreams()) split.push_back(&built->upstreams.at(name));
      }
      built->route_split.push_back(std::move(split));
    }
  }
  for (const auto& [name, listener] : built->document.listeners) {
    if (!listener.tls) continue;
    auto context = listener_tls_.context_for(listener, built->document, built->snapshot.materials);
    if (!context) return Refusal{"/listeners/" + name + "/tls", context.error().message};
    built->listener_tls.emplace(name, std::move(*context));
  }
  built->rejected = cells_for("_rejected", "_rejected");
  built->none = cells_for("_none", "_none");
  return std::shared_ptr<const Configuration>(std::move(built));
}

void ConfigurationBuilder::settle(const Configuration& current) {
  std::set<const upstream::Target*> named;
  for (const auto& [name, group] : current.upstreams) {
    for (const upstream::Member& member : group.members) {
      member.target->set_limits(current.document.upstreams.at(name).keepalive);
      named.insert(member.target.get());
    }
  }
  listener_tls_.settle();
  upstream_tls_.settle();
  requirements_.settle();
  std::erase_if(targets_, [&named](const auto& entry) {
    if (named.contains(entry.second.get())) return false;
    entry.second->retire();
    return true;
  });
}

}   // namespace proxyd::proxy
