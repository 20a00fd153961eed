#include "worker/routing/matcher.h"

#include <algorithm>
#include <array>

namespace proxyd::routing {
namespace {

using Path = config::Match::Path;

constexpr int kMostCaptures = 10;

// A prefix is kept without a slash at its end, "/" as nothing, so that segments are compared whole.
std::string_view prefix_of(const config::Match& match) {
  std::string_view prefix = match.path_kind == Path::kPrefix ? std::string_view(match.path) : std::string_view();
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  return prefix;
}

bool expression_matches(const RouteEntry& route, RequestFacts& facts) {
  facts.captures = {};   // of an expression that matched before, whose conditions did not hold
  std::array<re2::StringPiece, kMostCaptures> groups;
  const std::string_view path = facts.head->target.path;
  const int count = std::min(route.expression->NumberOfCapturingGroups() + 1, kMostCaptures);
  const bool matched = route.expression->Match(re2::StringPiece(path.data(), path.size()), 0, path.size(),
                                               RE2::UNANCHORED, groups.data(), count);
  if (!matched) return false;
  for (int i = 0; i < count; ++i) {
    const re2::StringPiece& group = groups[static_cast<size_t>(i)];
    facts.captures[static_cast<size_t>(i)] =
        group.data() ? std::string_view(group.data(), group.size()) : std::string_view();
  }
  return true;
}

bool path_matches(const RouteEntry& route, RequestFacts& facts) {
  const std::string_view path = facts.head->target.path;
  const config::Match& match = route.settings.match;
  switch (match.path_kind) {
    case Path::kNone: return true;
    case Path::kExact: return path == match.path;
    case Path::kPrefix: return has_prefix(path, match.path) || path == prefix_of(match);
    case Path::kRegex: return expression_matches(route, facts);
  }
  return false;
}

// The first of `candidates` whose conditions hold.
const RouteEntry* first_holding(const HostEntry& host, const std::vector<uint32_t>& candidates,
                                const RequestFacts& facts, std::string_view rank, Matcher::Observer* observer) {
  for (const uint32_t index : candidates) {
    const RouteEntry& route = *host.routes[index];
    const std::string_view failed = route.conditions.first_failed(facts);
    if (observer) observer->candidate(route, rank, failed);
    if (failed.empty()) return &route;
  }
  return nullptr;
}

// The token of a client is for us alone, unless the route says that the origin sees it.
config::FieldEdits edits_of_request(const config::Route& route) {
  config::FieldEdits edits = route.headers.request;
  const auto keeps = [](const config::Auth& one) { return one.jwt && !one.jwt->forward; };
  if (std::any_of(route.auth.begin(), route.auth.end(), keeps)) edits.remove.emplace_back("Authorization");
  return edits;
}

// With the shares that an operator gave it for now.
config::Split split_of(const config::Host& host, const config::Route& route, const config::Materials& materials) {
  config::Split split = *route.split;
  const auto shares = materials.shares.find(host.name + "/" + route.name);
  if (shares != materials.shares.end()) split.upstreams = shares->second;
  return split;
}

// What the document says has no end that is known.
std::optional<config::Closed> closed_of(const config::Host& host, const config::Materials& materials) {
  const auto closed = materials.closed_hosts.find(host.name);
  if (closed != materials.closed_hosts.end() && !host.maintenance) return closed->second;
  return host.maintenance ? std::optional(config::Closed()) : std::nullopt;
}

}   // namespace

RouteEntry::RouteEntry(const config::Host& host, const config::Route& route, uint32_t number,
                       const config::Materials& materials)
    : settings(route),
      index(number),
      conditions(route.match),
      request_edits(edits_of_request(route), materials.files),
      response_edits(route.headers.response, materials.files) {
  if (route.match.path_kind == Path::kRegex) expression = compile_expression(route.match.path);
  if (route.rewrite) rewrite.emplace(*route.rewrite);
  if (route.redirect) redirect.emplace(route.redirect->to);
  if (route.split) split.emplace(split_of(host, route, materials));
}

HostEntry::HostEntry(const config::Host& host, uint32_t number, const config::Materials& materials)
    : settings(host),
      index(number),
      response_edits(host.headers.response, materials.files),
      error_pages(host, materials.files),
      closed(closed_of(host, materials)) {
  if (!host.force_https || !host.force_https->hsts) return;
  hsts = "max-age=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(*host.force_https->hsts).count());
}

Matcher::Matcher(const config::Document& document, const config::Materials& materials)
    : default_response_edits_(document.headers.response, materials.files) {
  for (const auto& [name, settings] : document.hosts) {
    auto host = std::make_unique<HostEntry>(settings, static_cast<uint32_t>(hosts_.size()), materials);
    for (const config::Route& route : settings.routes) {
      const auto place = static_cast<uint32_t>(host->routes.size());
      host->routes.push_back(std::make_unique<RouteEntry>(settings, route, route_count_++, materials));
      const std::string_view prefix = prefix_of(route.match);
      switch (route.match.path_kind) {
        case Path::kExact: host->exact[route.match.path].push_back(place); break;
        case Path::kRegex: host->expressions.push_back(place); break;
        case Path::kPrefix:
        case Path::kNone: host->prefixes[prefix.size()][prefix].push_back(place); break;
      }
    }
    hosts_.push_back(std::move(host));
  }
  for (const auto& [name, listener] : document.listeners) {
    Names& names = listeners_[name];
    for (const auto& host : hosts_) {
      const auto& only = host->settings.listeners;
      if (only.empty() || std::find(only.begin(), only.end(), name) != only.end()) add_names(*host, names);
    }
  }
}

void Matcher::add_names(const HostEntry& host, Names& names) {
  for (const std::string& name : host.settings.names) {
    if (name == "*") {
      names.any = &host;
    } else if (name.starts_with("*.")) {
      names.suffixes[std::string_view(name).substr(1)] = &host;
    } else {
      names.exact[name] = &host;
    }
  }
}

// Exact, then the longest wildcard, then "*".
const HostEntry* Matcher::find_host(const RequestFacts& facts) const {
  const auto listener = listeners_.find(facts.listener);
  if (listener == listeners_.end()) return nullptr;
  const Names& names = listener->second;
  if (const auto found = names.exact.find(facts.host); found != names.exact.end()) return found->second;
  if (!names.suffixes.empty()) {
    for (size_t dot = facts.host.find('.'); dot != std::string_view::npos; dot = facts.host.find('.', dot + 1)) {
      const auto found = names.suffixes.find(facts.host.substr(dot));
      if (found != names.suffixes.end() && dot > 0) return found->second;
    }
  }
  return names.any;
}

const RouteEntry* Matcher::find_ranked(const HostEntry& host, RequestFacts& facts, Observer* observer) {
  const std::string_view path = facts.head->target.path;
  if (const auto exact = host.exact.find(path); exact != host.exact.end()) {
    if (const RouteEntry* route = first_holding(host, exact->second, facts, "exact path", observer)) return route;
  }
  for (const uint32_t index : host.expressions) {
    if (!expression_matches(*host.routes[index], facts)) {
      if (observer) observer->candidate(*host.routes[index], "path_regex", "path");
      continue;
    }
    const std::string_view failed = host.routes[index]->conditions.first_failed(facts);
    if (observer) observer->candidate(*host.routes[index], "path_regex", failed);
    if (failed.empty()) return host.routes[index].get();
  }
  facts.captures = {};
  for (const auto& [length, prefixes] : host.prefixes) {
    const bool whole = path.size() == length || (path.size() > length && path[length] == '/');
    if (!whole && length > 0) continue;
    const auto found = prefixes.find(path.substr(0, length));
    if (found == prefixes.end()) continue;
    if (const RouteEntry* route = first_holding(host, found->second, facts, "path_prefix", observer)) return route;
  }
  return nullptr;
}

const RouteEntry* Matcher::find_first(const HostEntry& host, RequestFacts& facts, Observer* observer) {
  for (const auto& route : host.routes) {
    const std::string_view failed = path_matches(*route, facts) ? route->conditions.first_failed(facts) : "path";
    if (observer) observer->candidate(*route, "file order", failed);
    if (failed.empty()) return route.get();
  }
  return nullptr;
}

Matched Matcher::find(RequestFacts& facts, Observer* observer) const {
  const HostEntry* host = find_host(facts);
  if (!host) return {};
  const RouteEntry* route =
      host->settings.first_match ? find_first(*host, facts, observer) : find_ranked(*host, facts, observer);
  return {host, route};
}

}   // namespace proxyd::routing
