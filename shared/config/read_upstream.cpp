#include "shared/config/read_upstream.h"

#include "shared/config/inherit.h"
#include "shared/config/json_read.h"
#include "shared/config/read_tls.h"

namespace proxyd::config {
namespace {

Target read_target(const std::string& id, const Json& json) {
  Target target{.id = id};
  target.address = value_or(json, "address", target.address);
  target.weight = value_or(json, "weight", target.weight);
  target.backup = value_or(json, "backup", false);
  target.max_connections = size_or(json, "max_connections", target.max_connections);
  if (member(json, "slow_start")) target.slow_start = duration_or(json, "slow_start", std::nullopt);
  return target;
}

Keepalive read_keepalive(const Json& json) {
  Keepalive keepalive;
  keepalive.max_idle = value_or(json, "max_idle", keepalive.max_idle);
  keepalive.idle_timeout = duration_or(json, "idle_timeout", keepalive.idle_timeout);
  keepalive.max_requests = size_or(json, "max_requests", keepalive.max_requests);
  keepalive.max_age = duration_or(json, "max_age", keepalive.max_age);
  return keepalive;
}

Resolve read_resolve(const Json& json) {
  Resolve resolve;
  const std::string family = value_or<std::string>(json, "family", "any");
  resolve.family = family == "v4" ? Family::kV4 : family == "v6" ? Family::kV6 : Family::kAny;
  resolve.min_ttl = duration_or(json, "min_ttl", resolve.min_ttl).value_or(resolve.min_ttl);
  resolve.max_ttl = duration_or(json, "max_ttl", resolve.max_ttl).value_or(resolve.max_ttl);
  return resolve;
}

Balance read_balance(const Json& json) {
  const std::string word = value_or<std::string>(json, "balance", "p2c");
  if (word == "round_robin") return Balance::kRoundRobin;
  if (word == "least_requests") return Balance::kLeastRequests;
  return word == "consistent_hash" ? Balance::kConsistentHash : Balance::kP2c;
}

Duration a_duration(const Json& json, const char* key, Duration fallback) {
  return duration_or(json, key, fallback).value_or(fallback);
}

bool is_off(const Json& json, const char* key) {
  const Json* value = member(json, key);
  return value && *value == "off";
}

CheckType read_check_type(const Json& json) {
  const std::string word = value_or<std::string>(json, "type", "http");
  if (word == "https") return CheckType::kHttps;
  if (word == "tcp") return CheckType::kTcp;
  return word == "grpc" ? CheckType::kGrpc : CheckType::kHttp;
}

std::vector<StatusRange> read_ranges(const std::vector<std::string>& texts) {
  std::vector<StatusRange> ranges;
  for (const std::string& text : texts) ranges.push_back({std::stoi(text), std::stoi(text.substr(text.size() - 3))});
  return ranges;
}

ActiveHealth read_active(const Json& json) {
  ActiveHealth active;
  active.type = read_check_type(json);
  active.path = value_or(json, "path", active.path);
  active.host = maybe<std::string>(json, "host");
  active.port = maybe<uint16_t>(json, "port");
  for (const auto& [name, value] : part(json, "headers").items()) {
    if (value.is_null()) continue;
    const bool file = value.is_object();
    active.headers[name] = {(file ? value.at("file") : value).get<std::string>(), file};
  }
  active.service = value_or(json, "service", active.service);
  const auto statuses = maybe<std::vector<std::string>>(json, "expect_status");
  if (statuses) active.expect_status = read_ranges(*statuses);
  active.expect_body = maybe<std::string>(json, "expect_body");
  active.interval = a_duration(json, "interval", active.interval);
  active.timeout = a_duration(json, "timeout", active.timeout);
  active.rise = value_or(json, "rise", active.rise);
  active.fall = value_or(json, "fall", active.fall);
  return active;
}

PassiveHealth read_passive(const Json& json) {
  PassiveHealth passive;
  passive.failures = value_or(json, "failures", passive.failures);
  passive.window = a_duration(json, "window", passive.window);
  if (!is_off(json, "error_percent")) passive.error_percent = maybe<int>(json, "error_percent");
  passive.eject_for = a_duration(json, "eject_for", passive.eject_for);
  passive.max_ejected_percent = value_or(json, "max_ejected_percent", passive.max_ejected_percent);
  return passive;
}

Health read_health(const Json& json) {
  Health health;
  if (const Json* active = member(json, "active")) health.active = read_active(*active);
  health.passive.reset();
  if (!is_off(json, "passive")) health.passive = read_passive(part(json, "passive"));
  return health;
}

std::optional<Queue> read_queue(const Json& json) {
  if (is_off(json, "queue")) return std::nullopt;
  Queue queue;
  queue.size = value_or(part(json, "queue"), "size", queue.size);
  queue.wait = a_duration(part(json, "queue"), "wait", queue.wait);
  return queue;
}

Sticky read_sticky(const Json& json) {
  return {value_or(json, "cookie", std::string()), duration_or(json, "ttl", std::nullopt)};
}

}   // namespace

Upstream read_upstream(const std::string& name, const Json& json) {
  Upstream upstream;
  upstream.name = name;
  upstream.balance = read_balance(json);
  upstream.hash_key = maybe<std::string>(json, "hash_key");
  upstream.hash_fallback = value_or(json, "hash_fallback", upstream.hash_fallback);
  const bool dynamic = value_or<std::string>(json, "membership", "declared") == "dynamic";
  upstream.membership = dynamic ? Membership::kDynamic : Membership::kDeclared;
  upstream.protocol = read_upstream_protocol(json);
  if (const Json* tls = member(json, "tls")) upstream.tls = read_upstream_tls(*tls);
  upstream.host = value_or(json, "host", upstream.host);
  upstream.keepalive = read_keepalive(part(json, "keepalive"));
  upstream.retry = read_retry(part(json, "retry"));
  upstream.resolve = read_resolve(part(json, "resolve"));
  upstream.health = read_health(part(json, "health"));
  upstream.queue = read_queue(json);
  upstream.slow_start = duration_or(json, "slow_start", std::nullopt);
  if (const Json* sticky = member(json, "sticky")) upstream.sticky = read_sticky(*sticky);
  if (!is_off(json, "panic_threshold")) upstream.panic_threshold = maybe<int>(json, "panic_threshold");
  for (const auto& [id, target] : part(json, "targets").items()) upstream.targets[id] = read_target(id, target);
  return upstream;
}

}   // namespace proxyd::config
