#pragma once

#include <map>
#include <memory>
#include <string>

#include "shared/base/result.h"
#include "shared/config/snapshot.h"
#include "shared/metrics/metrics_region.h"
#include "worker/proxy/upstream_tls.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// Makes the groups of a snapshot's upstreams. Owned by the configuration's builder. What is as it was is taken over: a
// target with the same row and address keeps its connections, an upstream its line of waiting requests, and its ring
// while its members are the same.
class GroupBuilder {
 public:
  // Without `metrics`, for what will never serve, no series are looked up.
  GroupBuilder(upstream::Services services, const metrics::MetricsRegion* metrics)
      : services_(services), metrics_(metrics) {}

  // `index`: among the upstreams of its configuration. Fails where what its TLS needs can't be had.
  Result<upstream::UpstreamGroup> build(const config::Upstream& settings, uint32_t index,
                                        const config::Materials& materials);
  // After these came into force: what only older ones used is let go.
  void settle(const std::map<std::string, upstream::UpstreamGroup>& current, const config::Document& document);

 private:
  using Group = upstream::UpstreamGroup;
  std::shared_ptr<upstream::Target> target_for(uint32_t row, const std::string& address,
                                               config::UpstreamProtocol protocol, UpstreamTls::Context tls);
  std::shared_ptr<upstream::Target> probe_for(const config::Upstream& settings, const config::TargetPlace& place,
                                              UpstreamTls::Context tls);
  upstream::Target::Counters counters_of(const config::Upstream& upstream, const std::string& target) const;
  Result<void> add_members(Group& group, const config::Upstream& settings, const config::Target& target,
                           const config::Materials& materials);
  Result<UpstreamTls::Context> probe_tls(const config::Upstream& settings, const config::Target& target,
                                         const config::Materials& materials, const UpstreamTls::Context& own);
  void add_health(Group& group, const config::Upstream& settings, const config::Materials& materials);
  void add_ring(Group& group, const config::Upstream& settings);
  void add_line(Group& group, const config::Upstream& settings);
  void add_counters(Group& group) const;
  metrics::Cell cell(std::string_view name, std::string_view labels) const {
    return metrics_ ? metrics_->cell(services_.slot, name, labels) : metrics::Cell();
  }

  upstream::Services services_;
  const metrics::MetricsRegion* metrics_;
  UpstreamTls upstream_tls_;
  // What checks count goes nowhere.
  std::unique_ptr<std::atomic<uint64_t>> uncounted_ = std::make_unique<std::atomic<uint64_t>>();
  std::map<std::string, std::shared_ptr<upstream::Target>> targets_;           // by row, address, protocol and TLS
  std::map<std::string, std::shared_ptr<const upstream::KetamaRing>> rings_;   // by upstream
  std::map<std::string, std::shared_ptr<upstream::WaitingLine>> lines_;        // by upstream and row
};

}   // namespace proxyd::proxy
