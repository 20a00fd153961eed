#include "worker/proxy/invalidate.h"

#include "shared/cache/subjects.h"
#include "worker/caching/cache_key.h"
#include "worker/caching/groups.h"
#include "worker/caching/invalidation.h"
#include "worker/proxy/proxy.h"

namespace proxyd::proxy {
namespace {

constexpr int kMostTries = 8;   // each as long as a lock is waited for

caching::Url url_of(const Request& request) {
  const http::Target& target = request.head.target;
  return {request.facts.scheme, request.facts.authority, target.path, target.query, target.has_query};
}

}   // namespace

std::string_view keyed_url(const Request& request, const caching::Url& url) {
  http::RequestHead head = request.head;
  head.method = http::Method::kGet;
  head.method_text = "GET";
  head.target.path = head.target.raw = url.path;
  head.target.query = url.query;
  head.target.has_query = url.has_query;
  routing::RequestFacts facts = request.facts;
  facts.head = &head;
  const routing::Matched matched = request.configuration->matcher.find(facts);
  const caching::Policy* policy = matched.route ? request.configuration->route_policy[matched.route->index] : nullptr;
  const auto key = policy ? caching::cache_key(url, head.fields, policy->key, {}) : std::nullopt;
  return key ? key->url() : std::string_view();
}

void invalidate(Request& request, const http::ResponseHead& response) {
  if (!caching::is_unsafe(request.head) || request.configuration->cache_policies.empty()) return;
  cache::PurgeStamps& stamps = request.proxy.shared_cache().cache().stamps();
  const caching::Url asked = url_of(request);
  cache::PurgeList subjects(stamps);
  const caching::Invalidation invalidation = caching::invalidated_by(request.head, response, asked);
  for (const caching::Url& url : invalidation.urls()) {
    const std::string_view text = keyed_url(request, url);
    if (text.data()) subjects.add_url(text);
  }
  const caching::TagList groups = caching::invalidated_groups(request.head, response);
  for (const std::string_view group : groups.tags())
    subjects.add_tag(caching::group_tag(asked, group, request.arena()));
  if (subjects.words().empty()) return;
  for (int tries = 0; tries < kMostTries; ++tries) {
    if (stamps.purge(subjects.words(), cache::PurgeMode::hard)) return;
  }
  request.proxy.log().warning("what {} changed could not be invalidated: the cache's purge lock is held", asked.path);
}

}   // namespace proxyd::proxy
