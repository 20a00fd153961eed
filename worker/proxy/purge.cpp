#include "worker/proxy/purge.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shared/cache/subjects.h"
#include "worker/caching/purge_request.h"
#include "worker/proxy/local_answer.h"
#include "worker/proxy/purge_ban.h"
#include "worker/proxy/url_subjects.h"

namespace proxyd::proxy {
namespace {

using nlohmann::json;
using Subject = caching::PurgeRequest::Subject;
using Texts = std::set<std::string>;

constexpr std::string_view kAnyHost = "*";
constexpr size_t kMostRecorded = 32;       // subjects of a kind
constexpr size_t kLongestRecorded = 256;   // octets of each
constexpr int kMostTries = 3;              // each as long as a lock is waited for

// What is purged, spelled as it is stored.
struct Subjects {
  Texts urls;
  Texts keys;   // of URLs
  Texts prefixes;
  Texts hosts;
  Texts tags;
  std::optional<PurgeBan> ban;
};

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

void add_url(const Request& request, Subjects& subjects) {
  caching::Url url = url_of(request.facts, nullptr);
  for (const std::string& authority : authorities_of(request.facts)) {
    url.authority = authority;
    UrlSubjects found = url_subjects(*request.configuration, url, request.head.target.raw_path());
    subjects.urls.merge(found.texts);
    subjects.keys.merge(found.keys);
  }
}

// Where a name is a wildcard nobody knows under which hosts tags were stored: too much is taken, never too little.
Texts hosts_of_tags(const Request& request) {
  const std::vector<std::string>& names = request.matched.host->settings.names;
  const bool any = std::any_of(names.begin(), names.end(), [](const auto& name) { return name.starts_with('*'); });
  return any ? Texts{std::string(kAnyHost)} : hosts_of(request);
}

// A ban of more hosts than one has room for is a purge of them.
void add_ban(const Request& request, PurgeBan ban, Subjects& subjects) {
  ban.hosts = ban.kind == cache::BanKind::path ? authorities_of(request.facts) : hosts_of_tags(request);
  if (ban.hosts.size() > cache::kMostBanHosts)
    subjects.hosts.merge(ban.hosts);
  else
    subjects.ban = std::move(ban);
}

Subjects subjects_of(const Request& request, const caching::PurgeRequest& purge, std::optional<PurgeBan> ban) {
  Subjects subjects;
  if (ban) add_ban(request, std::move(*ban), subjects);
  for (const std::string_view tag : purge.tags) subjects.tags.emplace(tag);
  if (purge.with_host || purge.subject == Subject::kHost) subjects.hosts = hosts_of(request);
  if (purge.subject == Subject::kUrl) add_url(request, subjects);
  if (purge.subject != Subject::kFolder) return subjects;
  for (const std::string& authority : authorities_of(request.facts)) {
    subjects.prefixes.insert(authority + std::string(purge.folder));
    subjects.prefixes.insert(authority + std::string(purge.raw_folder));
  }
  return subjects;
}

// False when the lock can't be had.
bool carry_out(const Subjects& subjects, cache::PurgeMode mode, cache::Cache& cache) {
  cache::PurgeList list(cache.stamps());
  for (const std::string& url : subjects.urls) list.add_url(url);
  for (const std::string& prefix : subjects.prefixes) list.add_prefix(prefix);
  for (const std::string& host : subjects.hosts) list.add_host(host);
  for (const std::string& tag : subjects.tags) list.add_tag(tag);
  cache::PurgeList hosts(cache.stamps());
  if (subjects.ban) {
    for (const std::string& host : subjects.ban->hosts)
      host == kAnyHost ? hosts.add_everything() : hosts.add_host(host);
  }
  const auto purge = [&] {
    if (!subjects.ban) return cache.stamps().purge(list.words(), mode).has_value();
    const cache::BanSubject ban{subjects.ban->kind, hosts.words(), subjects.ban->expression};
    return cache.bans().ban(ban, list.words(), mode).has_value();
  };
  bool published = false;
  for (int tries = 0; tries < kMostTries && !published; ++tries) published = purge();
  if (!published || mode == cache::PurgeMode::soft) return published;
  for (const std::string& key : subjects.keys) (void)cache.drop(key);
  return true;
}

json described(const PurgeBan& ban, const caching::PurgeRequest& purge) {
  if (ban.kind == cache::BanKind::path) return {{"paths", purge.expressions.front()}, {"hosts", ban.hosts}};
  return {{"tags", purge.expressions},
          {"hosts", ban.hosts},
          {"takes", "whatever of these hosts has a tag, for an expression is not compared with tags"}};
}

json described(const Subjects& subjects, const caching::PurgeRequest& purge) {
  json purged = json::object();
  const auto put = [&purged](const char* kind, const Texts& texts) {
    if (!texts.empty()) purged[kind] = texts;
  };
  put("urls", subjects.urls);
  put("prefixes", subjects.prefixes);
  put("hosts", subjects.hosts);
  put("tags", subjects.tags);
  if (subjects.ban) purged["ban"] = described(*subjects.ban, purge);
  return purged;
}

std::string text_of(const json& value) {   // of octets that need not be UTF-8
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json shortened(const json& texts) {
  if (texts.is_string()) return texts.get_ref<const std::string&>().substr(0, kLongestRecorded);
  json shown = json::array();
  for (size_t i = 0; i < std::min(texts.size(), kMostRecorded); ++i) shown.push_back(shortened(texts[i]));
  return shown;
}

// As much as people need to know it by, within what the master takes (master/worker_message). As UTF-8.
json for_the_record(std::string_view mode, const Request& request, const json& purged) {
  json subjects = json::object();
  for (const auto& [kind, what] : purged.items()) {
    if (what.is_object()) {   // a ban
      for (const auto& [key, texts] : what.items()) subjects[kind][key] = shortened(texts);
      continue;
    }
    subjects[kind] = shortened(what);
    if (what.size() > kMostRecorded) subjects[kind + "_count"] = what.size();
  }
  const std::string_view client = request.facts.peer_text.substr(0, kLongestRecorded);
  return json::parse(text_of({{"mode", mode}, {"client", client}, {"subjects", std::move(subjects)}}));
}

}   // namespace

async::Task<void> answer_purge(Request& request) {
  request.matched.route = nullptr;   // the host answers, whatever its routes would do
  const routing::HostEntry* host = request.matched.host;
  const auto& access = request.configuration->purge_access;
  if (!host || !access[host->index]) {
    co_await answer_error(request, 405, ProxyError::kNone, {}, false);
    co_return;
  }
  if (!access[host->index]->admits(request.exchange.peer().address().mapped(), request.head.fields)) {
    co_await answer_error(request, 403, ProxyError::kRequestDenied, {}, false);
    co_return;
  }
  const config::Purge& settings = *host->settings.purge;
  const caching::PurgeRequest purge = caching::read_purge(request.head, settings);
  std::optional<PurgeBan> ban = ban_of(purge);
  const bool is_good = purge.fault == caching::PurgeRequest::Fault::kNone;
  if (!is_good || (ban && !ban->fault.empty())) {
    const std::string_view fault = is_good ? request.arena().copy(ban->fault) : caching::explanation_of(purge.fault);
    co_await answer_error(request, 400, ProxyError::kNone, fault, false);
    co_return;
  }
  const bool soft = purge.soft || settings.mode == config::PurgeMode::kSoft;
  const std::string_view mode = soft ? "soft" : "hard";
  const Subjects subjects = subjects_of(request, purge, std::move(ban));
  const auto write = soft ? cache::PurgeMode::soft : cache::PurgeMode::hard;
  if (!carry_out(subjects, write, request.proxy.shared_cache().cache())) {
    request.proxy.log().warning("a PURGE was refused: the cache's purge lock is held");
    co_await answer_error(request, 503, ProxyError::kNone, "other purges hold the lock; nothing is purged", false);
    co_return;
  }
  const json purged = described(subjects, purge);
  request.proxy.log().info("{} purged by {}: {}", mode, request.facts.peer_text, text_of(purged));
  request.proxy.record_purge(for_the_record(mode, request, purged));
  const json body{{"status", "ok"}, {"mode", mode}, {"purged", purged}};
  const std::string_view text = request.arena().copy(text_of(body));
  co_await answer_json(request, 200, text);
}

}   // namespace proxyd::proxy
