#include "worker/proxy/affinity.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "shared/base/digest.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {
namespace {

constexpr size_t kMarkOctets = 10;

// As nginx has it, where a client is the text of its address. Null data where the request has none.
std::string_view text_of(const routing::RequestKey& key, const routing::RequestFacts& facts) {
  return key.kind() == routing::RequestKey::Kind::kClient ? facts.client_text : key.value(facts);
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Appends the pairs of a Cookie field at `to`, but for those of that name, each behind "; " when it is not the first
// after `start`; the new end.
char* append_others(std::string_view field, std::string_view name, const char* start, char* to) {
  while (!field.empty()) {
    const size_t end = std::min(field.find(';'), field.size());
    std::string_view pair = field.substr(0, end);
    field.remove_prefix(std::min(end + 1, field.size()));
    while (!pair.empty() && is_blank(pair.front())) pair.remove_prefix(1);
    while (!pair.empty() && is_blank(pair.back())) pair.remove_suffix(1);
    std::string_view of = pair.substr(0, pair.find('='));
    while (!of.empty() && is_blank(of.back())) of.remove_suffix(1);
    if (pair.empty() || of == name) continue;
    if (to != start) to = std::copy_n("; ", 2, to);
    to = std::copy(pair.begin(), pair.end(), to);
  }
  return to;
}

void remove_cookie(http::Fields& fields, std::string_view name) {
  size_t most = 0;
  for (const http::Field& field : fields) most += field.known == http::FieldName::kCookie ? field.value.size() + 2 : 0;
  char* const start = fields.arena().allocate_text(2 * most);   // "; " may be longer than what divided them
  char* end = start;
  for (const http::Field& field : fields) {
    if (field.known == http::FieldName::kCookie) end = append_others(field.value, name, start, end);
  }
  fields.remove(http::FieldName::kCookie);
  if (end != start) fields.add(http::FieldName::kCookie, {start, static_cast<size_t>(end - start)});
}

}   // namespace

Affinity::Affinity(const config::Upstream& settings) : fallback_(settings.hash_fallback), sticky_(settings.sticky) {
  if (settings.hash_key) key_.emplace(*settings.hash_key);
  if (!sticky_) return;
  attributes_ = "; Path=/; HttpOnly; SameSite=Lax";
  if (sticky_->ttl) attributes_ += fmt::format("; Max-Age={}", sticky_->ttl->count() / 1000);
}

upstream::Balancer::Belongs Affinity::of(const routing::RequestFacts& facts,
                                         const upstream::UpstreamGroup& group) const {
  upstream::Balancer::Belongs belongs;
  if (key_) {
    const std::string_view value = text_of(*key_, facts);
    belongs.hash = upstream::KetamaRing::hash_of(value.data() ? value : text_of(fallback_, facts));
  }
  if (!sticky_) return belongs;
  const std::string_view mark = routing::find_cookie(facts.head->fields, sticky_->cookie);
  if (!mark.data()) return belongs;
  for (size_t i = 0; i < group.members.size() && !mark.empty(); ++i) {
    if (group.members[i].mark == mark) belongs.member = static_cast<uint16_t>(i);
  }
  return belongs;
}

std::vector<std::string> sticky_cookies_of(const config::Host& host, const config::Document& document) {
  std::set<std::string> names;
  const auto take = [&](const std::string& upstream) {
    const auto found = document.upstreams.find(upstream);
    if (found != document.upstreams.end() && found->second.sticky) names.insert(found->second.sticky->cookie);
  };
  for (const config::Route& route : host.routes) {
    if (route.upstream) take(*route.upstream);
    for (const auto& [name, share] : route.split ? route.split->upstreams : std::map<std::string, uint32_t>())
      take(name);
  }
  return {names.begin(), names.end()};
}

void take_affinity(Request& request, const upstream::UpstreamGroup& group) {
  const Configuration& configuration = *request.configuration;
  if (!configuration.has_affinities) return;
  request.belongs = configuration.affinities[group.index].of(request.facts, group);
  for (const std::string& name : configuration.sticky_cookies[request.matched.host->index]) {
    if (routing::find_cookie(request.head.fields, name).data()) remove_cookie(request.exchange.request_fields(), name);
  }
}

std::string_view Affinity::cookie_for(const upstream::Member& member, bool secure, http::Arena& arena) const {
  return arena.concat(sticky_->cookie, "=", member.mark, attributes_, secure ? "; Secure" : "");
}

std::string Affinity::mark_of(const std::string& key, std::string_view upstream, std::string_view target,
                              std::string_view address) {
  if (key.empty()) return {};
  const Sha256 digest = sha256(fmt::format("{}\n{}\n{}\n{}", key, upstream, target, address));
  std::string mark;
  for (size_t i = 0; i < kMarkOctets; ++i) mark += fmt::format("{:02x}", digest[i]);
  return mark;
}

}   // namespace proxyd::proxy
