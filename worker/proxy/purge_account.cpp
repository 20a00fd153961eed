#include "worker/proxy/purge_account.h"

#include <algorithm>

namespace proxyd::proxy {
namespace {

using nlohmann::json;

constexpr size_t kMostRecorded = 32;       // subjects of a kind
constexpr size_t kLongestRecorded = 256;   // octets of each

json described(const PurgeBan& ban, const caching::PurgeRequest& purge) {
  if (ban.kind == cache::BanKind::path) return {{"paths", purge.expressions.front()}, {"hosts", ban.hosts}};
  return {{"tags", purge.expressions},
          {"hosts", ban.hosts},
          {"takes", "whatever of these hosts has a tag, for an expression is not compared with tags"}};
}

json shortened(const json& texts) {
  if (texts.is_string()) return texts.get_ref<const std::string&>().substr(0, kLongestRecorded);
  json shown = json::array();
  for (size_t i = 0; i < std::min(texts.size(), kMostRecorded); ++i) shown.push_back(shortened(texts[i]));
  return shown;
}

}   // namespace

json described(const PurgeOrder& order, const caching::PurgeRequest& purge) {
  json purged = json::object();
  const auto put = [&purged](const char* kind, const PurgeOrder::Texts& texts) {
    if (!texts.empty()) purged[kind] = texts;
  };
  put("urls", order.urls);
  put("prefixes", order.prefixes);
  put("hosts", order.hosts);
  put("tags", order.tags);
  if (order.ban) purged["ban"] = described(*order.ban, purge);
  return purged;
}

std::string text_of(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

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

}   // namespace proxyd::proxy
