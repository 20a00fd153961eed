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

}   // namespace

Upstream read_upstream(const std::string& name, const Json& json) {
  Upstream upstream;
  upstream.name = name;
  const bool turns = value_or<std::string>(json, "balance", "p2c") == "round_robin";
  upstream.balance = turns ? Balance::kRoundRobin : Balance::kP2c;
  const bool dynamic = value_or<std::string>(json, "membership", "declared") == "dynamic";
  upstream.membership = dynamic ? Membership::kDynamic : Membership::kDeclared;
  upstream.protocol = read_upstream_protocol(json);
  if (const Json* tls = member(json, "tls")) upstream.tls = read_upstream_tls(*tls);
  upstream.host = value_or(json, "host", upstream.host);
  upstream.keepalive = read_keepalive(part(json, "keepalive"));
  upstream.retry = read_retry(part(json, "retry"));
  upstream.resolve = read_resolve(part(json, "resolve"));
  for (const auto& [id, target] : part(json, "targets").items()) upstream.targets[id] = read_target(id, target);
  return upstream;
}

}   // namespace proxyd::config
