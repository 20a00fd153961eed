#include "worker/proxy/purge_order.h"

#include <algorithm>

#include "shared/cache/subjects.h"
#include "worker/proxy/url_subjects.h"

namespace proxyd::proxy {
namespace {

using Subject = caching::PurgeRequest::Subject;
using Texts = PurgeOrder::Texts;

constexpr std::string_view kAnyHost = "*";
constexpr int kMostTries = 3;   // each as long as a lock is waited for

// Who sends a PURGE to this machine may name the port of the other scheme: what is stored there knows none.
Texts authorities_of(const routing::RequestFacts& facts) {
  Texts authorities{std::string(facts.authority)};
  if (facts.port == 80 || facts.port == 443) authorities.emplace(facts.host);
  return authorities;
}

// Every exact name of the document's host, for a PURGE may be sent to the name of this machine, and the name that it
// was sent to, for there may be wildcards. With every port.
Texts hosts_of(const Request& request) {
  Texts hosts;
  for (const std::string& name : request.matched.host->settings.names) {
    if (!name.starts_with('*')) hosts.insert(name);
  }
  if (!request.facts.host.empty()) hosts.emplace(request.facts.host);
  return hosts;
}

void add_url(const Request& request, PurgeOrder& order) {
  caching::Url url = url_of(request.facts, nullptr);
  for (const std::string& authority : authorities_of(request.facts)) {
    url.authority = authority;
    UrlSubjects found = url_subjects(*request.configuration, url, request.head.target.raw_path());
    order.urls.merge(found.texts);
    order.keys.merge(found.keys);
  }
}

// Where a name is a wildcard nobody knows under which hosts tags were stored: too much is taken, never too little.
Texts hosts_of_tags(const Request& request) {
  const std::vector<std::string>& names = request.matched.host->settings.names;
  const bool any = std::any_of(names.begin(), names.end(), [](const auto& name) { return name.starts_with('*'); });
  return any ? Texts{std::string(kAnyHost)} : hosts_of(request);
}

// A ban of more hosts than one has room for is a purge of them.
void add_ban(const Request& request, PurgeBan ban, PurgeOrder& order) {
  ban.hosts = ban.kind == cache::BanKind::path ? authorities_of(request.facts) : hosts_of_tags(request);
  if (ban.hosts.size() > cache::kMostBanHosts)
    order.hosts.merge(ban.hosts);
  else
    order.ban = std::move(ban);
}

}   // namespace

PurgeOrder order_of(const Request& request, const caching::PurgeRequest& purge, std::optional<PurgeBan> ban) {
  PurgeOrder order;
  if (ban) add_ban(request, std::move(*ban), order);
  for (const std::string_view tag : purge.tags) order.tags.emplace(tag);
  if (purge.with_host || purge.subject == Subject::kHost) order.hosts = hosts_of(request);
  if (purge.subject == Subject::kUrl) add_url(request, order);
  if (purge.subject != Subject::kFolder) return order;
  for (const std::string& authority : authorities_of(request.facts)) {
    order.prefixes.insert(authority + std::string(purge.folder));
    order.prefixes.insert(authority + std::string(purge.raw_folder));
  }
  return order;
}

bool carry_out(const PurgeOrder& order, cache::PurgeMode mode, cache::Cache& cache) {
  cache::PurgeList list(cache.stamps());
  for (const std::string& url : order.urls) list.add_url(url);
  for (const std::string& prefix : order.prefixes) list.add_prefix(prefix);
  for (const std::string& host : order.hosts) list.add_host(host);
  for (const std::string& tag : order.tags) list.add_tag(tag);
  cache::PurgeList hosts(cache.stamps());
  if (order.ban) {
    for (const std::string& host : order.ban->hosts) host == kAnyHost ? hosts.add_everything() : hosts.add_host(host);
  }
  const auto purge = [&] {
    if (!order.ban) return cache.stamps().purge(list.words(), mode).has_value();
    const cache::BanSubject ban{order.ban->kind, hosts.words(), order.ban->expression};
    return cache.bans().ban(ban, list.words(), mode).has_value();
  };
  bool published = false;
  for (int tries = 0; tries < kMostTries && !published; ++tries) published = purge();
  if (!published || mode == cache::PurgeMode::soft) return published;
  for (const std::string& key : order.keys) (void)cache.drop(key);
  return true;
}

}   // namespace proxyd::proxy
