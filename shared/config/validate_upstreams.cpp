#include "shared/config/validate_upstreams.h"

#include <fmt/format.h>

#include <map>

#include "shared/config/template_text.h"
#include "shared/config/tls_name.h"

namespace proxyd::config {
namespace {

void check_hash(const Upstream& upstream, const std::string& pointer, FindingsList& findings) {
  const bool hashes = upstream.balance == Balance::kConsistentHash;
  if (hashes && !upstream.hash_key)
    findings.problem(pointer, "missing", "key 'hash_key' is missing: it goes with balance: consistent_hash");
  if (!hashes && upstream.hash_key)
    findings.problem(pointer + "/hash_key", "exclusive", "'hash_key' goes with balance: consistent_hash");
}

// A check is no request of a client: there is nothing that a variable could stand for.
void check_headers(const ActiveHealth& active, const std::string& pointer, FindingsList& findings) {
  for (const auto& [name, value] : active.headers) {
    const auto parts =
        value.is_file ? Result<std::vector<TemplatePart>>(std::vector<TemplatePart>()) : parse_template(value.text);
    if (!parts) continue;   // told already
    for (const TemplatePart& part : *parts) {
      if (part.kind == TemplatePart::Kind::kLiteral) continue;
      findings.problem(fmt::format("{}/headers/{}", pointer, name), "variable", "a check knows no variables");
      break;
    }
  }
}

void check_active(const Upstream& upstream, const std::string& pointer, FindingsList& findings) {
  const ActiveHealth& active = *upstream.health.active;
  check_headers(active, pointer, findings);
  if (active.type == CheckType::kGrpc && upstream.protocol == UpstreamProtocol::kH1)
    findings.problem(pointer + "/type", "exclusive", "grpc needs HTTP/2: the upstream's protocol is h1");
  if (active.type != CheckType::kGrpc && !active.service.empty())
    findings.problem(pointer + "/service", "exclusive", "'service' goes with type: grpc");
  const bool speaks_http = active.type == CheckType::kHttp || active.type == CheckType::kHttps;
  const ActiveHealth none;
  if (!speaks_http && (active.path != none.path || active.expect_body || active.expect_status != none.expect_status))
    findings.problem(pointer, "exclusive", "path, expect_status and expect_body go with type: http or https");
  if (active.timeout > active.interval)
    findings.warning(pointer + "/timeout", "range",
                     "the timeout is above the interval: checks come as late as it says");
  if (active.type != CheckType::kHttps || upstream.tls) return;
  for (const auto& [id, target] : upstream.targets) {
    if (!active.host && tls_name(upstream, target).empty())
      findings.problem(pointer, "missing",
                       fmt::format("the certificate of target '{}' is to be verified, and there is no name for that: "
                                   "give 'host'",
                                   id));
  }
}

void check_upstream(const Upstream& upstream, const std::string& pointer, FindingsList& findings) {
  check_hash(upstream, pointer, findings);
  if (upstream.health.active) check_active(upstream, pointer + "/health/active", findings);
}

// The cookie of a host has one value: two upstreams would take it from each other.
void check_sticky(const Document& document, const Host& host, FindingsList& findings) {
  std::map<std::string, std::string> owners;   // cookie → upstream
  for (const Route& route : host.routes) {
    std::vector<std::string> names;
    if (route.upstream) names.push_back(*route.upstream);
    for (const auto& [name, share] : route.split ? route.split->upstreams : std::map<std::string, uint32_t>())
      names.push_back(name);
    for (const std::string& name : names) {
      const auto upstream = document.upstreams.find(name);
      if (upstream == document.upstreams.end() || !upstream->second.sticky) continue;
      const auto [owner, is_new] = owners.emplace(upstream->second.sticky->cookie, name);
      if (is_new || owner->second == name) continue;
      findings.problem(fmt::format("/upstreams/{}/sticky/cookie", name), "clash",
                       fmt::format("cookie '{}' is also that of upstream '{}', and host '{}' sends requests to both",
                                   owner->first, owner->second, host.name));
    }
  }
}

}   // namespace

void validate_upstreams(const Document& document, FindingsList& findings) {
  size_t targets = 0;
  for (const auto& [name, host] : document.hosts) check_sticky(document, host, findings);
  for (const auto& [name, upstream] : document.upstreams) {
    targets += upstream.targets.size();
    check_upstream(upstream, "/upstreams/" + name, findings);
    if (upstream.resolve.min_ttl > upstream.resolve.max_ttl)
      findings.warning(fmt::format("/upstreams/{}/resolve/min_ttl", name), "range",
                       "min_ttl is above max_ttl: each answer is good for min_ttl");
    const bool dynamic = upstream.membership == Membership::kDynamic;
    if (dynamic && !upstream.targets.empty())
      findings.problem(fmt::format("/upstreams/{}/targets", name), "range",
                       fmt::format("membership is dynamic: the targets of '{0}' come by the API alone; leave them out "
                                   "here, and add them by: proxyctl upstream target add {0} ADDRESS",
                                   name));
    if (dynamic || !upstream.targets.empty()) continue;
    findings.warning(fmt::format("/upstreams/{}", name), "empty",
                     fmt::format("upstream '{}' has no target: its requests get 503", name));
  }
  if (targets <= kMostTargets) return;
  findings.problem("/upstreams", "range", fmt::format("{} targets in all, at most {} can be", targets, kMostTargets));
}

}   // namespace proxyd::config
