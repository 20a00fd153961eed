#include "master/metric_series.h"

#include <array>
#include <string>

#include "shared/metrics/auth_words.h"
#include "shared/metrics/cache_words.h"
#include "shared/metrics/catalog.h"
#include "shared/metrics/error_tokens.h"
#include "shared/metrics/http2_words.h"
#include "shared/metrics/labels.h"
#include "shared/metrics/reject_reasons.h"

namespace proxyd::master {
namespace {

using metrics::Family;
using metrics::Kind;
using metrics::label;
using metrics::with;

constexpr std::array kClasses = {1, 2, 3, 4, 5};

Kind kind_of(std::string_view name) {
  for (const Family& family : metrics::catalog()) {
    if (family.name == name) return family.kind;
  }
  return Kind::kCounter;
}

class Registrar {
 public:
  explicit Registrar(metrics::MetricsRegion& region) : region_(region) {}
  void add(std::string_view name, const std::string& labels = "") { region_.add(name, labels, kind_of(name)); }

  template <class Words>
  void each(std::string_view name, std::string_view label_name, const Words& words) {
    for (const auto& word : words) add(name, label(label_name, word));
  }

  void route(const std::string& host, const std::string& route) {
    const std::string labels = metrics::route_labels(host, route);
    for (const int one : kClasses) add("proxyd_http_requests_total", with(labels, metrics::class_label(one)));
    for (const auto* name : {"proxyd_http_request_duration_seconds", "proxyd_http_request_bytes_total",
                             "proxyd_http_response_bytes_total"})
      add(name, labels);
  }

  void cache(const std::string& host, const std::string& route) {
    const std::string labels = metrics::route_labels(host, route);
    add("proxyd_cache_served_bytes_total", labels);
    for (const std::string_view result : metrics::kCacheResults)
      if (!result.empty()) add("proxyd_cache_requests_total", with(labels, label("result", result)));
    for (const std::string_view reason : metrics::kCacheReasons)
      if (reason != "none") add("proxyd_cache_reasons_total", with(labels, label("reason", reason)));
  }

  void auth(const std::string& host, const std::string& route) {
    for (const std::string_view result : metrics::kAuthResults)
      add("proxyd_auth_total", with(metrics::route_labels(host, route), label("result", result)));
  }

  void target(const std::string& labels) {
    for (const int one : kClasses) add("proxyd_upstream_requests_total", with(labels, metrics::class_label(one)));
    for (const auto* result : {"ok", "failed"})
      add("proxyd_upstream_connect_total", with(labels, label("result", result)));
    add("proxyd_upstream_connections_reused_total", labels);
    for (const auto* state : {"up", "down"})
      add("proxyd_upstream_transitions_total", with(labels, label("state", state)));
  }

 private:
  metrics::MetricsRegion& region_;
};

// Of sessions with clients, or with targets.
void register_http2(Registrar& registrar, const std::string& prefix) {
  registrar.each(prefix + "_conn_error_total", "reason", metrics::kHttp2Faults);
  for (const char* direction : {"received", "sent"}) {
    const std::string label_of = label("direction", direction);
    for (const std::string_view type : metrics::kHttp2FrameTypes) {
      registrar.add(prefix + "_frames_total", with(label_of, label("type", type)));
      registrar.add(prefix + "_frame_bytes_total", with(label_of, label("type", type)));
    }
    for (const std::string_view code : metrics::kHttp2ErrorCodes)
      registrar.add(prefix + "_resets_total", with(label_of, label("code", code)));
  }
}

void register_fixed(Registrar& registrar) {
  for (const Family& family : metrics::catalog()) {
    if (family.labels.empty()) registrar.add(family.name);
  }
  registrar.each("proxyd_h1_reject_total", "reason", metrics::kRejectReasons);
  registrar.each("proxyd_h2_reject_total", "reason", metrics::kRejectReasons);
  registrar.each("proxyd_h2_reject_total", "reason", metrics::kHttp2RejectReasons);
  register_http2(registrar, "proxyd_h2");
  register_http2(registrar, "proxyd_upstream_h2");
  registrar.each("proxyd_upstream_bad_total", "reason", metrics::kRejectReasons);
  registrar.each("proxyd_upstream_bad_total", "reason", metrics::kResponseReasons);
  registrar.each("proxyd_upstream_bad_total", "reason", metrics::kHttp2RejectReasons);
  registrar.each("proxyd_timeout_total", "phase",
                 std::array{"tls", "h2_preface", "h2_frame", "h2_window_stall", "client_header", "client_body",
                            "client_write", "keepalive", "connect", "first_byte", "between_bytes", "tunnel", "total"});
  registrar.each("proxyd_tls_handshakes_total", "result", std::array{"full", "resumed", "failed"});
  registrar.each("proxyd_tls_kernel_connections_total", "result", std::array{"given", "refused", "cut"});
  registrar.each("proxyd_accept_errors_total", "reason", std::array{"descriptors", "other"});
  registrar.each("proxyd_config_applies_total", "result", std::array{"applied", "failed"});
  registrar.route("_rejected", "_rejected");
  registrar.route("_none", "_none");
}

}   // namespace

void register_series(metrics::MetricsRegion& region, const config::Document& document) {
  Registrar registrar(region);
  register_fixed(registrar);
  for (const auto& [name, listener] : document.listeners) {
    registrar.add("proxyd_downstream_accepted_total", metrics::listener_labels(name));
    registrar.add("proxyd_downstream_connections", metrics::listener_labels(name));
  }
  for (const auto& [name, host] : document.hosts) {
    registrar.route(name, "_none");
    for (const config::Route& route : host.routes) {
      registrar.route(name, route.name);
      if (route.cache) registrar.cache(name, route.name);
      if (!route.auth.empty()) registrar.auth(name, route.name);
    }
  }
  for (const auto& [name, list] : document.access_lists)
    registrar.add("proxyd_access_denied_total", label("list", name));
  for (const auto& [name, limit] : document.rate_limits)
    for (const auto* result : {"admitted", "denied", "observed"})
      registrar.add("proxyd_rate_limit_total", with(label("limit", name), label("result", result)));
  for (const auto& [name, upstream] : document.upstreams) {
    const std::string labels = metrics::upstream_labels(name);
    registrar.add("proxyd_upstream_retries_total", labels);
    registrar.add("proxyd_upstream_queued_total", labels);
    for (const std::string_view token : metrics::kErrorTokens)
      registrar.add("proxyd_upstream_errors_total", with(labels, label("token", token)));
    if (upstream.membership == config::Membership::kDynamic) {
      registrar.target(metrics::dynamic_target_labels(name));
      continue;
    }
    for (const auto& [id, target] : upstream.targets) registrar.target(metrics::target_labels(name, id));
  }
}

}   // namespace proxyd::master
