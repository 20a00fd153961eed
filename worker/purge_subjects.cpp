#include "worker/purge_subjects.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "worker/caching/cache_key.h"
#include "worker/http/arena.h"

namespace proxyd::worker {
namespace {

using caching::KeyRules;
using nlohmann::json;
using Texts = std::set<std::string>;

// The routes that a URL may be meant for: those that the path alone does not rule out.
class ByPath final : public routing::Matcher::Observer {
 public:
  void candidate(const routing::RouteEntry& route, std::string_view, std::string_view failed) override {
    if (failed != "path") routes.insert(&route);
  }
  std::set<const routing::RouteEntry*> routes;
};

bool takes_every_request(const config::Match& match) {
  const config::Match bare{.path_kind = match.path_kind, .path = match.path};
  return match == bare;
}

// As it is written: what routes with raw_path make their keys of.
std::string_view raw_path_in(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  text = text.substr(0, text.find_first_of("?#"));
  const size_t slash = text.find('/');
  return slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
}

// In the normal form of its scheme, or of both where it says none.
std::vector<caching::Url> parse(const std::string& text, http::Arena& arena) {
  const bool has_scheme = text.find("://") != std::string::npos;
  std::vector<caching::Url> urls;
  for (const http::Scheme scheme : {http::Scheme::kHttp, http::Scheme::kHttps}) {
    if (has_scheme && !urls.empty()) break;
    const std::string_view reference = has_scheme ? std::string_view(text) : arena.concat("//", text);
    if (const auto url = caching::resolve(reference, {scheme, "x", "/", {}, false}, arena)) urls.push_back(*url);
  }
  return urls;
}

std::set<const routing::RouteEntry*> routes_for(const proxy::Configuration& configuration, const caching::Url& url,
                                                http::Arena& arena) {
  http::RequestHead head(arena);
  head.method = http::Method::kGet;
  head.target.path = url.path;
  head.target.query = url.query;
  head.target.has_query = url.has_query;
  std::set<const routing::RouteEntry*> routes;
  for (const auto& [listener, settings] : configuration.document.listeners) {
    routing::RequestFacts facts;
    facts.head = &head;
    facts.listener = listener;
    facts.scheme = url.scheme;
    facts.authority = url.authority;
    facts.host = http::parse_authority(url.authority, arena).value().host;   // it was one
    ByPath candidates;
    const routing::Matched matched = configuration.matcher.find(facts, &candidates);
    if (!matched.host) continue;
    const bool last = matched.route && takes_every_request(matched.route->settings.match);
    if (!last) {
      for (const auto& route : matched.host->routes) candidates.routes.insert(route.get());
    }
    routes.merge(candidates.routes);
  }
  return routes;
}

// What keeps answers of several origins apart, as the route of a request says it (proxy/origin.h).
std::vector<std::string> partitions_of(const config::Route& route) {
  if (!route.split) return {route.upstream.value_or("")};
  if (route.split->cache == config::SplitCache::kShared) return {route.name};
  std::vector<std::string> names;
  for (const auto& [name, share] : route.split->upstreams) names.push_back(name);
  return names;
}

// The texts and keys of a URL, as they are collected.
struct UrlSubjects {
  void add(caching::Url url, const KeyRules& rules, const std::vector<std::string>& partitions, http::Arena& arena) {
    const http::Fields none(arena);
    const bool whole = rules.headers.empty() && rules.cookies.empty();
    for (const http::Scheme scheme : {http::Scheme::kHttp, http::Scheme::kHttps}) {
      url.scheme = scheme;
      for (const std::string& partition : partitions) {
        const auto key = caching::cache_key(url, none, {rules.query, rules.parameters, {}, {}}, partition);
        if (!key) continue;
        texts.emplace(key->url());
        if (whole) keys.emplace(key->text);
      }
    }
  }

  Texts texts;
  Texts keys;
};

// What is stored under a URL that no route of now caches was stored by rules that nobody remembers: as the URL is.
void add_url(const proxy::Configuration& configuration, const caching::Url& normal, std::string_view raw_path,
             UrlSubjects& subjects, http::Arena& arena) {
  for (const routing::RouteEntry* route : routes_for(configuration, normal, arena)) {
    const caching::Policy* policy = configuration.cache_policies.of_route(route->settings);
    if (!policy) continue;
    caching::Url url = normal;
    if (route->settings.raw_path) url.path = raw_path;
    subjects.add(url, policy->key, partitions_of(route->settings), arena);
  }
  if (subjects.texts.empty()) subjects.add(normal, {}, {""}, arena);
}

json wrong(const std::string& text, const char* why) { return {{"error", fmt::format("'{}' {}", text, why)}}; }

json prefix_of(const std::string& text) {
  http::Arena arena;
  Texts texts;
  for (const caching::Url& url : parse(text, arena)) {
    if (url.has_query) return wrong(text, "has a query: a prefix is a host and folders, as www.example.com/css/");
    if (!url.path.ends_with('/')) return wrong(text, "does not end in '/': a prefix is whole folders");
    texts.emplace(std::string(url.authority) + std::string(url.path));
    texts.emplace(std::string(url.authority) + std::string(raw_path_in(text)));
  }
  if (texts.empty()) return wrong(text, "is no prefix: write HOST/PATH/");
  return {{"texts", texts}};
}

json host_of(const std::string& text) {
  http::Arena arena;
  Texts texts;
  const bool plain = text.find_first_of("/?#@") == std::string::npos;
  for (const caching::Url& url : plain ? parse(text, arena) : std::vector<caching::Url>()) texts.emplace(url.authority);
  if (texts.empty()) return wrong(text, "is no host: write NAME or NAME:PORT");
  return {{"texts", texts}};
}

json each(const json& question, const char* kind, const std::function<json(const std::string&)>& answer) {
  json answers = json::array();
  for (const json& one : question.value(kind, json::array())) answers.push_back(answer(one.get<std::string>()));
  return answers;
}

}   // namespace

json purge_subjects(const proxy::Configuration& configuration, const json& question) {
  const auto url_of = [&](const std::string& text) -> json {
    http::Arena arena;
    UrlSubjects subjects;
    const std::vector<caching::Url> urls = parse(text, arena);
    if (urls.empty()) return wrong(text, "is no http or https URL");
    for (const caching::Url& url : urls) add_url(configuration, url, raw_path_in(text), subjects, arena);
    if (subjects.texts.empty()) return wrong(text, "is longer than the key of anything that is stored");
    return {{"texts", subjects.texts}, {"keys", subjects.keys}};
  };
  return {{"urls", each(question, "urls", url_of)},
          {"prefixes", each(question, "prefixes", prefix_of)},
          {"hosts", each(question, "hosts", host_of)}};
}

}   // namespace proxyd::worker
