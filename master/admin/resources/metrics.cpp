#include <fmt/format.h>

#include <chrono>
#include <map>

#include "master/admin/resources/handlers.h"
#include "master/admin/resources/target_json.h"
#include "master/cache_counts.h"
#include "shared/metrics/catalog.h"
#include "shared/metrics/labels.h"

namespace proxyd::admin {
namespace {

using metrics::Kind;
using metrics::Series;

void append_histogram(std::string& out, const metrics::MetricsRegion& region, const Series& series) {
  uint64_t count = 0;
  for (uint32_t i = 0; i + 1 < metrics::kHistogramCells; ++i) {
    count += region.sum(series.row + i);
    const std::string bound =
        i < std::size(metrics::kHistogramBounds) ? fmt::format("{}", metrics::kHistogramBounds[i]) : "+Inf";
    out += fmt::format("{}_bucket{{{}}} {}\n", series.name,
                       metrics::with(series.labels, fmt::format("le=\"{}\"", bound)), count);
  }
  const double sum = static_cast<double>(region.sum(series.row + metrics::kHistogramCells - 1)) / 1e6;
  out += fmt::format("{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", series.name, series.labels, sum, series.name,
                     series.labels, count);
}

std::string_view type_of(Kind kind) {
  switch (kind) {
    case Kind::kGauge: return "gauge";
    case Kind::kHistogram: return "histogram";
    case Kind::kCounter: break;
  }
  return "counter";
}

// What the master knows itself and no worker counts.
void append_own(std::string& out, Context& context) {
  const auto active = context.master.configuration().active();
  out += "# HELP proxyd_config_revision The revision in force.\n# TYPE proxyd_config_revision gauge\n";
  out += fmt::format("proxyd_config_revision {}\n", active ? active->revision.number : 0);
  out += "# HELP proxyd_workers_running Workers that serve.\n# TYPE proxyd_workers_running gauge\n";
  out += fmt::format("proxyd_workers_running {}\n", context.master.pool().serving());
  out += "# HELP proxyd_upstream_in_flight Requests now at a target.\n# TYPE proxyd_upstream_in_flight gauge\n";
  if (!active) return;
  for (const auto& [name, material] : active->targets) {
    const size_t slash = name.find('/');
    uint64_t in_flight = 0;
    for (const uint32_t row : material.rows()) in_flight += context.master.regions().status().in_flight_sum(row);
    out += fmt::format("proxyd_upstream_in_flight{{{}}} {}\n",
                       metrics::target_labels(name.substr(0, slash), name.substr(slash + 1)), in_flight);
  }
}

// Whether targets may get requests, as checks, requests and people say.
void append_target_states(std::string& out, Context& context) {
  const auto active = context.master.configuration().active();
  if (!active) return;
  out += "# HELP proxyd_upstream_target_up 1: the target gets requests.\n# TYPE proxyd_upstream_target_up gauge\n";
  for (const auto& [name, upstream] : active->document.upstreams) {
    for (const auto& [id, target] : upstream.targets) {
      const auto material = active->targets.find(name + "/" + id);
      if (material == active->targets.end()) continue;
      const std::string state = state_now(upstream, target, material->second, context).word;
      out += fmt::format("proxyd_upstream_target_up{{{}}} {}\n", metrics::target_labels(name, id),
                         master::gets_requests(state) ? 1 : 0);
    }
  }
}

void append_certificates(std::string& out, Context& context) {
  const auto active = context.master.configuration().active();
  if (!active || active->certificates.empty()) return;
  const auto now = std::chrono::system_clock::now();
  out += "# HELP proxyd_cert_expiry_seconds Until the certificate expires; below 0: since then.\n";
  out += "# TYPE proxyd_cert_expiry_seconds gauge\n";
  for (const auto& [name, certificate] : active->certificates) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(certificate->facts.not_after - now);
    out += fmt::format("proxyd_cert_expiry_seconds{{{}}} {}\n", metrics::label("certificate", name), left.count());
  }
}

}   // namespace

// Prometheus text 0.0.4, or OpenMetrics where it is asked for: there a counter's family has no `_total`.
AdminAnswer get_metrics(const AdminRequest& request, Context& context) {
  const bool open_metrics = request.field("accept").find("application/openmetrics-text") != std::string::npos;
  const metrics::MetricsRegion& region = context.master.regions().metrics();
  master::note_accounts(region, context.master.regions().cache().accounts());
  std::map<std::string, std::vector<Series>> by_name;
  for (const Series& series : region.series()) by_name[series.name].push_back(series);
  std::string out;
  for (const metrics::Family& family : metrics::catalog()) {
    const auto found = by_name.find(std::string(family.name));
    if (found == by_name.end()) continue;
    std::string name(family.name);
    if (open_metrics && name.ends_with("_total")) name.resize(name.size() - 6);
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, type_of(family.kind));
    for (const Series& series : found->second) {
      if (series.kind == Kind::kHistogram) {
        append_histogram(out, region, series);
      } else if (series.labels.empty()) {
        out += fmt::format("{} {}\n", series.name, region.sum(series.row));
      } else {
        out += fmt::format("{}{{{}}} {}\n", series.name, series.labels, region.sum(series.row));
      }
    }
  }
  append_own(out, context);
  append_target_states(out, context);
  append_certificates(out, context);
  if (open_metrics) out += "# EOF\n";
  AdminAnswer answer;
  answer.content_type = open_metrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                     : "text/plain; version=0.0.4; charset=utf-8";
  answer.body = std::move(out);
  return answer;
}

}   // namespace proxyd::admin
