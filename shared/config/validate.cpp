#include "shared/config/validate.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "shared/config/schema.h"
#include "shared/config/template_text.h"

namespace proxyd::config {
namespace {

constexpr size_t kMostTargets = 4096;
constexpr size_t kMostRoutes = 8192;

class Validator {
 public:
  Validator(const Json& json, const Document& document) : json_(json), document_(document) {}

  Findings run() {
    listeners();
    upstreams();
    hosts();
    logging();
    return std::move(findings_);
  }

 private:
  void problem(std::string pointer, std::string code, std::string message, std::string_view suggestion = {}) {
    findings_.problems.push_back({std::move(pointer), 0, 0, std::move(code), std::move(message),
                                  suggestion.empty() ? "" : fmt::format("did you mean '{}'?", suggestion)});
  }
  void warning(std::string pointer, std::string code, std::string message) {
    findings_.warnings.push_back({std::move(pointer), 0, 0, std::move(code), std::move(message), ""});
  }
  template <class Map>
  void refer(const Map& map, const std::string& name, std::string pointer, std::string_view what) {
    if (map.contains(name)) return;
    std::vector<std::string_view> names;
    for (const auto& [known, value] : map) names.push_back(known);
    problem(std::move(pointer), "reference", fmt::format("there is no {} '{}'", what, name), nearest(name, names));
  }

  void listeners();
  void upstreams();
  void hosts();
  void host(const std::string& name, const Host& host);
  void host_names(const std::string& name, const Host& host);
  void route(const std::string& pointer, const Json& json, const Route& route);
  void action(const std::string& pointer, const Json& json);
  void captures(const std::string& pointer, const Route& route);
  void unreachable(const std::string& pointer, const Host& host, size_t index);
  void logging();

  const Json& json_;
  const Document& document_;
  Findings findings_;
  std::map<std::pair<std::string, std::string>, std::string> taken_names_;   // listener, name → host
};

void Validator::listeners() {
  std::map<std::string, std::string> taken;
  for (const auto& [name, listener] : document_.listeners) {
    const std::string pointer = fmt::format("/listeners/{}", name);
    const Json& json = json_.at("listeners").at(name);
    if (json.contains("address")) problem(pointer + "/address", "exclusive", "give either 'address' or 'addresses'");
    if (listener.addresses.empty()) problem(pointer, "missing", fmt::format("listener '{}' has no address", name));
    for (size_t i = 0; i < listener.addresses.size(); ++i) {
      const auto [other, is_new] = taken.emplace(listener.addresses[i], name);
      if (is_new) continue;
      problem(fmt::format("{}/addresses/{}", pointer, i), "clash",
              fmt::format("address {} is taken by listener '{}'", listener.addresses[i], other->second));
    }
  }
}

void Validator::upstreams() {
  size_t targets = 0;
  for (const auto& [name, upstream] : document_.upstreams) {
    targets += upstream.targets.size();
    if (upstream.targets.empty()) {
      warning(fmt::format("/upstreams/{}", name), "empty", fmt::format("upstream '{}' has no target: its requests get 503", name));
    }
  }
  if (targets > kMostTargets) problem("/upstreams", "range", fmt::format("{} targets in all, at most {} can be", targets, kMostTargets));
}

void Validator::hosts() {
  size_t routes = 0;
  for (const auto& [name, host_value] : document_.hosts) {
    routes += host_value.routes.size();
    host(name, host_value);
  }
  if (routes > kMostRoutes) problem("/hosts", "range", fmt::format("{} routes in all, at most {} can be", routes, kMostRoutes));
}

// Two hosts with one name on one listener: nobody could tell whose request it is.
void Validator::host_names(const std::string& name, const Host& host) {
  std::vector<std::string> listeners = host.listeners;
  if (listeners.empty()) {
    for (const auto& [listener, value] : document_.listeners) listeners.push_back(listener);
  }
  if (host.names.empty()) problem(fmt::format("/hosts/{}/names", name), "missing", fmt::format("host '{}' has no name", name));
  for (size_t i = 0; i < host.names.size(); ++i) {
    for (const std::string& listener : listeners) {
      const auto [other, is_new] = taken_names_.emplace(std::pair(listener, host.names[i]), name);
      if (is_new) continue;
      problem(fmt::format("/hosts/{}/names/{}", name, i), "clash",
              fmt::format("name '{}' is both of host '{}' and of host '{}' on listener '{}'", host.names[i], other->second, name, listener));
      break;
    }
  }
}

void Validator::host(const std::string& name, const Host& host) {
  const std::string pointer = fmt::format("/hosts/{}", name);
  host_names(name, host);
  for (size_t i = 0; i < host.listeners.size(); ++i) {
    refer(document_.listeners, host.listeners[i], fmt::format("{}/listeners/{}", pointer, i), "listener");
  }
  std::map<std::string, size_t> names;
  for (size_t i = 0; i < host.routes.size(); ++i) {
    const std::string at = fmt::format("{}/routes/{}", pointer, i);
    const auto [other, is_new] = names.emplace(host.routes[i].name, i);
    if (!is_new) problem(at + "/name", "clash", fmt::format("route '{}' is named twice: it is also number {}", host.routes[i].name, other->second));
    route(at, json_.at("hosts").at(name).at("routes").at(i), host.routes[i]);
    unreachable(at, host, i);
  }
}

void Validator::action(const std::string& pointer, const Json& json) {
  std::vector<std::string_view> given;
  for (const std::string_view key : {"upstream", "split", "redirect", "respond", "ready"}) {
    const auto found = json.find(std::string(key));
    if (found != json.end() && *found != false) given.push_back(key);
  }
  if (given.empty()) problem(pointer, "missing", "a route needs one of upstream, split, redirect, respond, ready");
  if (given.size() > 1) problem(pointer, "exclusive", fmt::format("a route does one thing, not {}", fmt::join(given, " and ")));
}

void Validator::route(const std::string& pointer, const Json& json, const Route& route) {
  action(pointer, json);
  if (route.upstream) refer(document_.upstreams, *route.upstream, pointer + "/upstream", "upstream");
  if (route.split) {
    uint64_t sum = 0;
    for (const auto& [name, share] : route.split->upstreams) {
      refer(document_.upstreams, name, fmt::format("{}/split/upstreams/{}", pointer, name), "upstream");
      sum += share;
    }
    if (sum == 0) problem(pointer + "/split/upstreams", "range", "one share at least must be above zero");
  }
  if (route.redirect && (route.redirect->status > 303 && route.redirect->status < 307)) {
    problem(pointer + "/redirect/status", "range", "must be 301, 302, 303, 307 or 308");
  }
  size_t paths = 0;
  if (json.contains("match")) {
    for (const char* key : {"path", "path_prefix", "path_regex"}) paths += json.at("match").contains(key) ? 1 : 0;
  }
  if (paths > 1) problem(pointer + "/match", "exclusive", "give one of path, path_prefix, path_regex");
  const bool path_and_prefix = route.rewrite && route.rewrite->path && (route.rewrite->strip_prefix || route.rewrite->add_prefix);
  if (path_and_prefix) problem(pointer + "/rewrite", "exclusive", "'path' says the whole path: it goes with neither strip_prefix nor add_prefix");
  captures(pointer, route);
}

// {1} … {9} are groups of the route's path_regex.
void Validator::captures(const std::string& pointer, const Route& route) {
  if (route.match.path_kind == Match::Path::kRegex) return;
  std::vector<std::pair<std::string, std::string>> templates;
  if (route.redirect) templates.emplace_back("/redirect/to", route.redirect->to);
  if (route.rewrite && route.rewrite->path) templates.emplace_back("/rewrite/path", *route.rewrite->path);
  for (const auto& [at, text] : templates) {
    const auto parts = parse_template(text);
    if (!parts) continue;
    for (const TemplatePart& part : *parts) {
      if (part.kind != TemplatePart::Kind::kCapture) continue;
      problem(pointer + at, "variable", fmt::format("{{{}}} is a group of path_regex, which this route does not have", part.text));
      return;
    }
  }
}

bool has_conditions(const Match& match) {
  return !match.methods.empty() || match.host || match.scheme || !match.headers.empty() || !match.query.empty() ||
         !match.cookies.empty() || !match.client.empty();
}

// A route after one of the same rank and path that takes everything (with first_match: a prefix that takes all).
void Validator::unreachable(const std::string& pointer, const Host& host, size_t index) {
  const Match& mine = host.routes[index].match;
  for (size_t i = 0; i < index; ++i) {
    const Match& earlier = host.routes[i].match;
    if (has_conditions(earlier)) continue;
    const auto is_root = [](const Match& match) {
      return match.path_kind == Match::Path::kNone || (match.path_kind == Match::Path::kPrefix && match.path == "/");
    };
    const bool same = (earlier.path_kind == mine.path_kind && earlier.path == mine.path) || (is_root(earlier) && is_root(mine));
    if (!same && !(host.first_match && is_root(earlier))) continue;
    warning(pointer, "unreachable", fmt::format("route '{}' can never be reached: '{}' before it takes all its requests", host.routes[index].name, host.routes[i].name));
    return;
  }
}

void Validator::logging() {
  const auto needs_file = [this](const std::string& pointer, bool to_file, const std::string& file) {
    if (to_file && file.empty()) problem(pointer, "missing", "key 'file' is missing");
    if (!to_file && !file.empty()) problem(pointer + "/file", "exclusive", "'file' goes with to: file");
  };
  for (size_t i = 0; i < document_.logging.access.size(); ++i) {
    const AccessLog& log = document_.logging.access[i];
    needs_file(fmt::format("/logging/access/{}", i), log.to == AccessLog::Sink::kFile, log.file);
  }
  needs_file("/logging/error", document_.logging.error.to == "file", document_.logging.error.file);
}

}  // namespace

Findings validate(const Json& canonical, const Document& document) { return Validator(canonical, document).run(); }

}  // namespace proxyd::config
