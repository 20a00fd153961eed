#include "shared/config/validate_routes.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <map>

#include "shared/config/json_read.h"
#include "shared/config/node.h"
#include "shared/config/validate_on_the_way.h"

namespace proxyd::config {
namespace {

void check_action(const std::string& pointer, const Json& json, FindingsList& findings) {
  std::vector<std::string_view> given;
  for (const char* key : {"upstream", "split", "redirect", "respond", "ready"}) {
    if (member(json, key)) given.push_back(key);
  }
  if (given.empty()) {
    findings.problem(pointer, "missing", "a route needs one of upstream, split, redirect, respond, ready");
  } else if (given.size() > 1) {
    findings.problem(pointer, "exclusive",
                     fmt::format("a route does one thing, not {}; keep one of them", fmt::join(given, " and ")));
  }
}

void check_split(const Document& document, const Split& split, const std::string& pointer, FindingsList& findings) {
  uint64_t sum = 0;
  for (const auto& [name, share] : split.upstreams) {
    findings.refer(document.upstreams, name, fmt::format("{}/upstreams/{}", pointer, name), "upstream");
    sum += share;
  }
  if (sum == 0) findings.problem(pointer + "/upstreams", "range", "one share at least must be above zero");
}

void check_redirect(const Redirect& redirect, const std::string& pointer, FindingsList& findings) {
  if (redirect.status <= 303 || redirect.status >= 307) return;
  findings.problem(pointer + "/status", "range", fmt::format("{} must be 301, 302, 303, 307 or 308", redirect.status));
}

// RFC 9110 15.3.5, 15.3.6, 15.4.5: these have no content.
void check_respond(const Respond& respond, const std::string& pointer, FindingsList& findings) {
  const bool empty = respond.status == 204 || respond.status == 205 || respond.status == 304;
  if (!empty || respond.body.empty()) return;
  findings.problem(pointer + "/body", "exclusive",
                   fmt::format("a {} has no body; remove it or take another status", respond.status));
}

void check_exclusive_keys(const Json& json, const std::string& pointer, FindingsList& findings) {
  size_t paths = 0;
  for (const char* key : {"path", "path_prefix", "path_regex"}) paths += member(part(json, "match"), key) ? 1 : 0;
  if (paths > 1) findings.problem(pointer + "/match", "exclusive", "give one of path, path_prefix, path_regex");
}

void warn_of_idle_cache(const Route& route, const Json& json, const std::string& pointer, FindingsList& findings) {
  if (route.upstream || route.split || !route.cache || !member(json, "cache")) return;
  findings.warning(pointer + "/cache", "no-effect",
                   "this route answers by itself: only what upstreams answer is cached");
}

// How many groups {1} … {9} may name; none without path_regex.
int groups_of(const Match& match) {
  if (match.path_kind != Match::Path::kRegex) return 0;
  const RE2 expression(match.path, RE2::Quiet);
  return expression.ok() ? expression.NumberOfCapturingGroups() : 0;
}

bool has_conditions(const Match& match) {
  return !match.methods.empty() || match.host || match.scheme || !match.headers.empty() || !match.query.empty() ||
         !match.cookies.empty() || !match.client.empty();
}

// What must hold besides the path.
Match conditions_of(Match match) {
  match.path_kind = Match::Path::kNone;
  match.path.clear();
  return match;
}

bool is_root(const Match& match) {
  return match.path_kind == Match::Path::kNone || (match.path_kind == Match::Path::kPrefix && match.path == "/");
}

// Whether each path that `inner` takes is below the prefix of `outer`, by whole segments.
bool is_below(const Match& inner, const Match& outer) {
  if (is_root(outer)) return true;
  if (outer.path_kind != Match::Path::kPrefix || inner.path_kind == Match::Path::kRegex) return false;
  const std::string prefix = outer.path.ends_with('/') ? outer.path : outer.path + "/";
  return inner.path == outer.path || inner.path.starts_with(prefix);
}

// Whether `earlier` takes every request that `later` could: of equal rank the earlier one is asked first; with
// first_match the order alone decides.
bool takes_all(const Match& earlier, const Match& later, bool first_match) {
  const bool same_path = earlier.path_kind == later.path_kind && earlier.path == later.path;
  const bool same_rank = same_path || (is_root(earlier) && is_root(later));
  if (!same_rank && !(first_match && is_below(later, earlier))) return false;
  return !has_conditions(earlier) || conditions_of(earlier) == conditions_of(later);
}

void warn_of_unreachable(const Host& host, size_t index, const std::string& pointer, FindingsList& findings) {
  const Route& mine = host.routes[index];
  for (size_t i = 0; i < index; ++i) {
    if (!takes_all(host.routes[i].match, mine.match, host.first_match)) continue;
    const std::string& taker = host.routes[i].name;
    return findings.warning(
        pointer, "unreachable",
        fmt::format("route '{}' can never be reached: '{}' before it takes all its requests", mine.name, taker));
  }
}

void check_route(const Document& document, const Route& route, const Json& json, const std::string& pointer,
                 FindingsList& findings) {
  check_action(pointer, json, findings);
  check_exclusive_keys(json, pointer, findings);
  validate_on_the_way(document, json, groups_of(route.match), pointer, findings);
  warn_of_idle_cache(route, json, pointer, findings);
  if (route.upstream) findings.refer(document.upstreams, *route.upstream, pointer + "/upstream", "upstream");
  if (route.split) check_split(document, *route.split, pointer + "/split", findings);
  if (route.redirect) check_redirect(*route.redirect, pointer + "/redirect", findings);
  if (route.respond) check_respond(*route.respond, pointer + "/respond", findings);
}

}   // namespace

void validate_routes(const Document& document, const Host& host, const Json& json, FindingsList& findings) {
  std::map<std::string, size_t> names;
  for (size_t i = 0; i < host.routes.size(); ++i) {
    const Route& route = host.routes[i];
    const std::string pointer = fmt::format("/hosts/{}/routes/{}", host.name, i);
    const auto [other, is_new] = names.emplace(route.name, i);
    if (!is_new) {
      findings.problem(pointer + "/name", "clash",
                       fmt::format("name '{}' is also that of route {} of this host", route.name, other->second));
    }
    check_route(document, route, json.at("routes").at(i), pointer, findings);
    warn_of_unreachable(host, i, pointer, findings);
  }
}

}   // namespace proxyd::config
