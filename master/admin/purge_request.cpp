#include "master/admin/purge_request.h"

#include "master/admin/body_fields.h"

namespace proxyd::admin {
namespace {

constexpr size_t kMostUrls = 1000;
constexpr size_t kMostOthers = 256;
constexpr size_t kLongestUrl = 8192;
constexpr size_t kLongestName = 1024;   // of a tag that is stored as such; a longer one is one of "any"
constexpr size_t kLongestReason = 512;

Json shortened(const std::vector<std::string>& texts, PurgeRequest::Shown shown) {
  Json list = Json::array();
  for (size_t i = 0; i < texts.size() && i < shown.subjects; ++i) list.push_back(texts[i].substr(0, shown.octets));
  return list;
}

}   // namespace

Json PurgeRequest::subjects(Shown shown) const {
  Json json = Json::object();
  const auto put = [&json, shown](const std::string& key, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    json[key] = shortened(texts, shown);
    if (texts.size() > shown.subjects) json[key + "_count"] = texts.size();
  };
  put("urls", urls);
  put("tags", tags);
  put("prefixes", prefixes);
  put("hosts", hosts);
  if (all) json["all"] = true;
  return json;
}

PurgeBody read_purge(const Json& body) {
  BodyFields fields(body);
  PurgeRequest request;
  request.urls = fields.texts("urls", kMostUrls, kLongestUrl);
  request.tags = fields.texts("tags", kMostUrls, kLongestName);
  request.prefixes = fields.texts("prefixes", kMostOthers, kLongestUrl);
  request.hosts = fields.texts("hosts", kMostOthers, kLongestName);
  if (const Json* all = fields.any("all")) {
    if (!all->is_boolean()) fields.fault("all", "type", "all is true or false");
    request.all = *all == true;
  }
  if (const Json* mode = fields.any("mode")) {
    if (*mode != "hard" && *mode != "soft") fields.fault("mode", "value", "mode is \"hard\" or \"soft\"");
    if (*mode == "soft") request.mode = cache::PurgeMode::soft;
  }
  request.reason = fields.text("reason", kLongestReason).value_or("");
  const bool names_any = [&body] {
    for (const char* key : {"urls", "tags", "prefixes", "hosts", "all"}) {
      const Json value = body.value(key, Json());
      if (!value.is_null() && value != false && value != Json::array()) return true;
    }
    return false;
  }();
  if (!names_any) fields.fault_at("", "missing", "name what to purge: urls, tags, prefixes, hosts, or all");
  return {std::move(request), fields.refusal()};
}

}   // namespace proxyd::admin
