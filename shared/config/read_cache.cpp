#include "shared/config/read_cache.h"

#include <algorithm>

#include "shared/config/json_read.h"

namespace proxyd::config {
namespace {

using Strings = std::vector<std::string>;

std::map<int, Duration> read_default_ttl(const Json& json) {
  std::map<int, Duration> lifetimes;
  for (const auto& [status, lifetime] : json.items())
    lifetimes[std::stoi(status)] = *duration_or(json, status.c_str(), seconds(0));
  return lifetimes;
}

CacheKeyRules read_key(const Json& json) {
  CacheKeyRules key;
  const Json& query = part(json, "query");
  for (const auto& [name, rule] :
       {std::pair("only", CacheKeyRules::Query::kOnly), std::pair("except", CacheKeyRules::Query::kExcept)}) {
    if (!member(query, name)) continue;
    key.query = rule;
    key.parameters = value_or(query, name, Strings());
  }
  key.headers = value_or(json, "headers", Strings());
  key.cookies = value_or(json, "cookies", Strings());
  return key;
}

CacheBypass read_bypass(const Json& json) {
  return {.cookies = value_or(json, "cookies", Strings()),
          .headers = value_or(json, "headers", Strings()),
          .query = value_or(json, "query", Strings()),
          .paths = value_or(json, "paths", Strings())};
}

}   // namespace

Cache read_cache(const Json& json) {
  Cache cache;
  cache.memory = size_or(json, "memory", cache.memory);
  cache.max_object = *size_or(json, "max_object", cache.max_object);
  return cache;
}

CachePolicy read_cache_policy(const std::string& name, const Json& json, const Cache& cache) {
  CachePolicy policy{.name = name};
  policy.methods = value_or(json, "methods", policy.methods);
  policy.default_ttl = read_default_ttl(part(json, "default_ttl"));
  policy.min_ttl = duration_or(json, "min_ttl", policy.min_ttl);
  policy.max_ttl = duration_or(json, "max_ttl", policy.max_ttl);
  policy.heuristic = value_or<std::string>(json, "heuristic", "off") == "on";
  policy.key = read_key(part(json, "key"));
  policy.bypass = read_bypass(part(json, "bypass"));
  const Strings ignored = value_or(json, "ignore", Strings());
  const auto ignores = [&ignored](const char* field) {
    return std::find(ignored.begin(), ignored.end(), field) != ignored.end();
  };
  policy.ignore_cache_control = ignores("Cache-Control");
  policy.ignore_expires = ignores("Expires");
  policy.ignore_pragma = ignores("Pragma");
  policy.ignore_vary = ignores("Vary");
  policy.ignore_cookies = value_or(json, "ignore_cookies", false);
  const bool strips = json.value("store_set_cookie", Json(false)) == "strip";
  policy.store_set_cookie = strips ? StoreSetCookie::kStrip : StoreSetCookie::kNo;
  const auto range = value_or<std::string>(json, "range", "full");
  policy.range = range == "pass" ? RangeMode::kPass : range == "slice" ? RangeMode::kSlice : RangeMode::kFull;
  policy.slice = *size_or(json, "slice", policy.slice);
  policy.stale_while_revalidate = duration_or(json, "stale_while_revalidate", policy.stale_while_revalidate);
  policy.stale_if_error = duration_or(json, "stale_if_error", policy.stale_if_error);
  policy.collapse_timeout = *duration_or(part(json, "collapse"), "timeout", policy.collapse_timeout);
  policy.targeted = value_or(json, "targeted", policy.targeted);
  policy.tag_headers = value_or(part(json, "tags"), "headers", policy.tag_headers);
  policy.expose_tags = value_or(part(json, "tags"), "expose", policy.expose_tags);
  policy.max_object = *size_or(json, "max_object", cache.max_object);
  return policy;
}

Purge read_purge(const Json& json) {
  Purge purge;
  purge.allow = value_or(json, "allow", Strings());
  purge.token_file = maybe<std::string>(json, "token_file");
  purge.mode = value_or<std::string>(json, "mode", "hard") == "soft" ? PurgeMode::kSoft : PurgeMode::kHard;
  purge.tags = value_or(json, "tags", purge.tags);
  return purge;
}

}   // namespace proxyd::config
