#include "shared/config/read_limits.h"

#include "shared/config/json_read.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

using Strings = std::vector<std::string>;

}   // namespace

AccessList read_access_list(const std::string& name, const Json& json) {
  return {.name = name, .allow = value_or(json, "allow", Strings()), .deny = value_or(json, "deny", Strings())};
}

RateLimit read_rate_limit(const std::string& name, const Json& json) {
  RateLimit limit{.name = name};
  limit.key = value_or(json, "key", limit.key);
  limit.fallback = maybe<std::string>(json, "fallback");
  const auto rate = parse_rate(value_or<std::string>(json, "rate", "")).value_or(Rate());
  limit.rate = rate.count;
  limit.per = Duration(rate.per_ms);
  limit.burst = value_or(json, "burst", limit.burst);
  const auto is = [&json](const char* key, const char* word) { return value_or<std::string>(json, key, "") == word; };
  limit.type = is("type", "window") ? RateLimit::Type::kWindow : RateLimit::Type::kBucket;
  limit.count = is("count", "origin") ? RateLimit::Count::kOrigin : RateLimit::Count::kAll;
  limit.mode = is("mode", "observe") ? RateLimit::Mode::kObserve : RateLimit::Mode::kEnforce;
  limit.except = maybe<std::string>(json, "except");
  limit.status = value_or(json, "status", limit.status);
  return limit;
}

Bandwidth read_bandwidth(const Json& json) {
  Bandwidth bandwidth;
  if (const auto rate = maybe<std::string>(json, "rate"))
    bandwidth.rate = parse_octet_rate(*rate).value_or(bandwidth.rate);
  bandwidth.after = *size_or(json, "after", bandwidth.after);
  return bandwidth;
}

}   // namespace proxyd::config
