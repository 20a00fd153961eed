#include "shared/metrics/catalog.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "shared/metrics/error_tokens.h"
#include "shared/metrics/reject_reasons.h"

namespace proxyd::metrics {
namespace {

constexpr Kind kCounter = Kind::kCounter;

constexpr std::array kFamilies = {
    Family{"proxyd_http_requests_total", kCounter, "host,route,class",
           "Requests answered, by route and class of status."},
    Family{"proxyd_http_request_duration_seconds", Kind::kHistogram, "host,route",
           "From the head received to the last octet sent."},
    Family{"proxyd_http_request_bytes_total", kCounter, "host,route", "Octets of request content received."},
    Family{"proxyd_http_response_bytes_total", kCounter, "host,route", "Octets sent to clients, heads included."},
    Family{"proxyd_downstream_accepted_total", kCounter, "listener", "Client connections accepted."},
    Family{"proxyd_downstream_connections", Kind::kGauge, "listener", "Client connections open."},
    Family{"proxyd_upstream_requests_total", kCounter, "upstream,target,class",
           "Responses from targets, by class of status."},
    Family{"proxyd_upstream_connect_total", kCounter, "upstream,target,result", "Connections tried."},
    Family{"proxyd_upstream_connections_reused_total", kCounter, "upstream,target", "Requests on pooled connections."},
    Family{"proxyd_upstream_errors_total", kCounter, "upstream,token",
           "Requests that a target did not answer, by error token."},
    Family{"proxyd_upstream_retries_total", kCounter, "upstream", "Requests sent again."},
    Family{"proxyd_upstream_bad_total", kCounter, "reason", "Responses refused."},
    Family{"proxyd_h1_reject_total", kCounter, "reason", "Requests refused before routing."},
    Family{"proxyd_route_miss_total", kCounter, "", "Requests for which there is no host or route."},
    Family{"proxyd_loop_total", kCounter, "", "Requests refused because they came back to us."},
    Family{"proxyd_proxy_proto_bad_total", kCounter, "", "Connections closed for a wrong PROXY header."},
    Family{"proxyd_timeout_total", kCounter, "phase", "Waits given up."},
    Family{"proxyd_access_log_dropped_total", kCounter, "", "Records lost because a log took no more."},
    Family{"proxyd_buffer_pool_hits_total", kCounter, "", "Buffers taken from the pool."},
    Family{"proxyd_buffer_pool_misses_total", kCounter, "", "Buffers taken from the heap."},
    Family{"proxyd_accept_errors_total", kCounter, "reason", "Connections that could not be accepted."},
    Family{"proxyd_tunnels", Kind::kGauge, "", "WebSocket tunnels open."},
    Family{"proxyd_tunnels_made_total", kCounter, "", "WebSocket tunnels made."},
    Family{"proxyd_unhandled_exceptions_total", kCounter, "", "Requests that ended in an exception."},
    Family{"proxyd_process_restarts_total", kCounter, "", "Workers started again after a death."},
    Family{"proxyd_config_applies_total", kCounter, "result", "Changes of the configuration."},
    Family{"proxyd_metrics_overflow_total", kCounter, "", "Counts of series for which there was no room."},
};

Kind kind_of(std::string_view name) {
  for (const Family& family : kFamilies) {
    if (family.name == name) return family.kind;
  }
  return kCounter;
}

class Registrar {
 public:
  explicit Registrar(MetricsRegion& region) : region_(region) {}
  void add(std::string_view name, const std::string& labels = "") { region_.add(name, labels, kind_of(name)); }

  template <class Words>
  void each(std::string_view name, std::string_view label, const Words& words) {
    for (const auto& word : words) add(name, fmt::format("{}=\"{}\"", label, word));
  }

  void route(const std::string& host, const std::string& route) {
    const std::string labels = fmt::format("host=\"{}\",route=\"{}\"", host, route);
    for (const int status_class : {1, 2, 3, 4, 5})
      add("proxyd_http_requests_total", fmt::format("{},class=\"{}xx\"", labels, status_class));
    for (const auto* name : {"proxyd_http_request_duration_seconds", "proxyd_http_request_bytes_total",
                             "proxyd_http_response_bytes_total"})
      add(name, labels);
  }

  void target(const std::string& upstream, const std::string& id) {
    const std::string labels = fmt::format("upstream=\"{}\",target=\"{}\"", upstream, id);
    for (const int status_class : {1, 2, 3, 4, 5})
      add("proxyd_upstream_requests_total", fmt::format("{},class=\"{}xx\"", labels, status_class));
    for (const auto* result : {"ok", "failed"})
      add("proxyd_upstream_connect_total", fmt::format("{},result=\"{}\"", labels, result));
    add("proxyd_upstream_connections_reused_total", labels);
  }

 private:
  MetricsRegion& region_;
};

}   // namespace

std::span<const Family> catalog() { return kFamilies; }

void register_series(MetricsRegion& region, const config::Document& document) {
  Registrar registrar(region);
  for (const Family& family : kFamilies) {
    if (family.labels.empty()) registrar.add(family.name);
  }
  registrar.each("proxyd_h1_reject_total", "reason", kRejectReasons);
  registrar.each("proxyd_upstream_bad_total", "reason", kRejectReasons);
  registrar.each("proxyd_upstream_bad_total", "reason", kResponseReasons);
  registrar.each("proxyd_timeout_total", "phase",
                 std::array{"client_header", "client_body", "client_write", "keepalive", "connect", "first_byte",
                            "between_bytes", "tunnel", "total"});
  registrar.each("proxyd_accept_errors_total", "reason", std::array{"descriptors", "other"});
  registrar.each("proxyd_config_applies_total", "result", std::array{"applied", "refused", "failed"});
  registrar.route("_rejected", "_rejected");
  registrar.route("_none", "_none");
  for (const auto& [name, listener] : document.listeners) {
    registrar.add("proxyd_downstream_accepted_total", fmt::format("listener=\"{}\"", name));
    registrar.add("proxyd_downstream_connections", fmt::format("listener=\"{}\"", name));
  }
  for (const auto& [name, host] : document.hosts) {
    registrar.route(name, "_none");
    for (const config::Route& route : host.routes) registrar.route(name, route.name);
  }
  for (const auto& [name, upstream] : document.upstreams) {
    registrar.add("proxyd_upstream_retries_total", fmt::format("upstream=\"{}\"", name));
    for (const std::string_view token : kErrorTokens)
      registrar.add("proxyd_upstream_errors_total", fmt::format("upstream=\"{}\",token=\"{}\"", name, token));
    for (const auto& [id, target] : upstream.targets) registrar.target(name, id);
  }
}

}   // namespace proxyd::metrics
