#include "master/attention.h"

#include <fmt/format.h>

#include "master/certificate_attention.h"
#include "master/master.h"
#include "master/target_attention.h"

namespace proxyd::master {

Readiness Master::readiness() {
  if (ending_) return {false, false, "draining"};
  const auto active = configuration_->active();
  if (!active) return {false, false, "no configuration"};
  const size_t serving = pool_->serving();
  if (!all_have_served_) return {false, false, "starting"};
  if (serving == 0) return {false, false, "no worker accepts"};
  if (pool_->resting() > 0) return {true, true, "a worker slot rests after too many deaths"};
  if (!store_->degraded().empty()) return {true, true, store_->degraded()};
  return {true, false, ""};
}

std::vector<Attention> Master::attention() {
  std::vector<Attention> all;
  if (!store_->degraded().empty())
    all.push_back({"error", "store-degraded", store_->degraded(), "proxyctl config history"});
  const auto active = configuration_->active();
  if (!active)
    all.push_back(
        {"error", "no-configuration", "there is no configuration: nothing is served", "proxyctl apply -f FILE"});
  if (pool_->resting() > 0)
    all.push_back(
        {"error", "worker-resting", "a worker slot rests: it died more than 5 times in 60 s", "proxyctl worker list"});
  if (regions_->metrics().full())
    all.push_back({"warning", "metrics-full",
                   "there is no room for the counters of every route and target that was ever configured: some count "
                   "nothing until proxyd is started anew",
                   "proxyctl metrics"});
  if (const std::string text = difference(); !text.empty()) {
    const bool from_file = bootstrap_.config_source == "file";
    const std::string file = from_file ? bootstrap_.config_file : bootstrap_.imported_config;
    all.push_back({from_file ? "error" : "warning", "file-differs", text,
                   file.empty() ? "proxyctl export" : "proxyctl diff -f " + file});
  }
  for (const Resolver::Trouble& one : resolver_->troubles()) {
    if (one.addresses > 0)   // of the others a warning of the document tells
      all.push_back({"warning", "resolve-failed",
                     fmt::format("'{}' does not resolve any more, or not whole ({}): what was known of it serves on",
                                 one.target, one.reason),
                     "proxyctl upstream list"});
  }
  for (const config::Problem& warning : active ? active->warnings : std::vector<config::Problem>()) {
    if (warning.code == "certificate-expired") continue;   // below, as it is now
    const bool of_certificates = warning.code == "no-certificate" || warning.pointer.starts_with("/certificates/");
    all.push_back({"warning", warning.code, warning.message,
                   warning.code == "unresolved" || warning.code == "addresses-left-out" || warning.code == "empty"
                       ? "proxyctl upstream list"
                   : of_certificates ? "proxyctl cert list"
                                     : "proxyctl export"});
  }
  if (active) add_upstreams(*active, regions_->status(), RegionKeeper::heartbeat_now(), all);
  const auto now = std::chrono::system_clock::now();
  if (active) add_certificates(active->document, active->certificates, configuration_->certificate_faults(), now, all);
  return all;
}

}   // namespace proxyd::master
