#include "worker/proxy/configuration.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/config/decode.h"
#include "shared/config/membership.h"
#include "shared/metrics/labels.h"
#include "worker/proxy/origin.h"

namespace proxyd::proxy {
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
    auto group = groups_.build(settings, static_cast<uint32_t>(built->affinities.size()), built->snapshot.materials);
    if (!group) return Refusal{fmt::format("/upstreams/{}/tls", name), group.error().message};
    built->upstreams.emplace(name, std::move(*group));
    built->affinities.emplace_back(settings);
    built->has_affinities = built->has_affinities || settings.sticky || settings.hash_key;
  }
  for (const auto& [name, settings] : built->document.rate_limits)
    built->rate_limits.emplace(name, rate_rule(settings, *built));
  for (const auto& host : built->matcher.hosts()) {
    built->sticky_cookies.push_back(sticky_cookies_of(host->settings, built->document));
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
  groups_.settle(current.upstreams, current.document);
  listener_tls_.settle();
  requirements_.settle();
}

}   // namespace proxyd::proxy
