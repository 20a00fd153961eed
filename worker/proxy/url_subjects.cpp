#include "worker/proxy/url_subjects.h"

#include "worker/caching/cache_key.h"
#include "worker/http/arena.h"
#include "worker/proxy/origin.h"

namespace proxyd::proxy {
namespace {

using Routes = std::set<const routing::RouteEntry*>;

// The routes that the path alone does not rule out.
class ByPath final : public routing::Matcher::Observer {
 public:
  void candidate(const routing::RouteEntry& route, std::string_view, std::string_view failed) override {
    if (failed != "path") routes.insert(&route);
  }
  Routes routes;
};

bool takes_every_request(const config::Match& match) {
  const config::Match bare{.path_kind = match.path_kind, .path = match.path};
  return match == bare;
}

void add_routes_of(const routing::Matched& matched, ByPath& candidates) {
  if (!matched.host || (matched.route && takes_every_request(matched.route->settings.match))) return;
  for (const auto& route : matched.host->routes) candidates.routes.insert(route.get());
}

Routes routes_for(const Configuration& configuration, const caching::Url& url) {
  http::Arena arena;
  http::RequestHead head(arena);
  head.method = http::Method::kGet;
  head.method_text = "GET";
  head.target.path = url.path;
  head.target.query = url.query;
  head.target.has_query = url.has_query;
  const auto authority = http::parse_authority(url.authority, arena);
  ByPath candidates;
  for (const auto& [listener, settings] : configuration.document.listeners) {
    routing::RequestFacts facts;
    facts.head = &head;
    facts.listener = listener;
    facts.scheme = url.scheme;
    facts.authority = url.authority;
    facts.host = authority ? authority->host : url.authority;
    add_routes_of(configuration.matcher.find(facts, &candidates), candidates);
  }
  return std::move(candidates.routes);
}

void add(caching::Url url, const caching::KeyRules& rules, std::string_view partition, UrlSubjects& subjects) {
  const bool whole = rules.headers.empty() && rules.cookies.empty();
  for (const http::Scheme scheme : {http::Scheme::kHttp, http::Scheme::kHttps}) {
    http::Arena arena;   // of one key: a document may have many routes
    const http::Fields none(arena);
    url.scheme = scheme;
    const auto key = caching::cache_key(url, none, {rules.query, rules.parameters, {}, {}}, partition);
    if (!key) continue;
    subjects.texts.emplace(key->url());
    if (whole) subjects.keys.emplace(key->text);
  }
}

}   // namespace

UrlSubjects url_subjects(const Configuration& configuration, const caching::Url& url, std::string_view raw_path) {
  UrlSubjects subjects;
  for (const routing::RouteEntry* route : routes_for(configuration, url)) {
    const caching::Policy* policy = configuration.route_policy[route->index];
    if (!policy) continue;
    caching::Url keyed = url;
    if (route->settings.raw_path) keyed.path = raw_path;
    for (const std::string& partition : configuration.route_partitions[route->index])
      add(keyed, policy->key, partition, subjects);
  }
  // What is stored though no route of now caches it was stored by rules that nobody remembers: as the URL is.
  if (subjects.texts.empty()) add(url, {}, {}, subjects);
  return subjects;
}

}   // namespace proxyd::proxy
