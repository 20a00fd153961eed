#pragma once

#include <array>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared/base/log.h"
#include "shared/limits/limits_region.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/reject_region.h"
#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"
#include "worker/async/task_group.h"
#include "worker/authentication/remembered.h"
#include "worker/caching/freshness.h"
#include "worker/downstream/exchange.h"
#include "worker/proxy/access_log.h"
#include "worker/proxy/configuration.h"
#include "worker/proxy/slow_checks.h"
#include "worker/proxy/stored/shared_cache.h"
#include "worker/upstream/balancer.h"

namespace proxyd::proxy {

enum class Phase : uint8_t { kClientBody, kClientWrite, kConnect, kFirstByte, kBetweenBytes, kTunnel, kTotal };

// What every request of this worker uses. Owned by the worker and outlives every connection; the configuration in
// force is swapped by one pointer, and requests keep the one they began with. One thread.
class Proxy final : public downstream::RequestHandler {
 public:
  Proxy(async::EventLoop& loop, net::BufferPool& buffers, const metrics::MetricsRegion& metrics,
        const status::StatusRegion& status, const status::RejectRegion& rejects, const limits::LimitsRegion& limits,
        uint32_t slot, Log& log, SharedCache& shared_cache);

  // The request's path; see request_path.cpp.
  async::Task<void> handle(downstream::Exchange& exchange) override;

  void set_configuration(std::shared_ptr<const Configuration> configuration);
  const std::shared_ptr<const Configuration>& configuration() const { return configuration_; }
  void set_access_log(std::unique_ptr<AccessLog> log) { access_log_ = std::move(log); }
  AccessLog* access_log() { return access_log_.get(); }
  void set_draining() { draining_ = true; }
  bool draining() const { return draining_; }

  async::EventLoop& loop() { return loop_; }
  net::BufferPool& buffers() { return buffers_; }
  const status::StatusRegion& status() const { return status_; }
  const limits::LimitsRegion& limits() const { return limits_; }
  upstream::Balancer& balancer() { return balancer_; }
  SharedCache& shared_cache() { return shared_cache_; }
  // Of what clients show of themselves.
  authentication::Remembered& remembered() { return remembered_; }
  SlowChecks& slow_checks() { return slow_checks_; }
  // What goes on without a client: fills of the cache, and questions to origins in the background.
  async::TaskGroup& tasks() { return tasks_; }
  Log& log() { return log_; }
  uint32_t slot() const { return slot_; }

  // "Tue, 24 Nov 2026 15:30:00 GMT", made once a second.
  std::string_view date();
  int64_t wall_clock_ms();
  // This instant by the clock of all processes and by the wall.
  caching::Moment moment() { return {shared_cache_.now(), wall_clock_ms()}; }
  // Random hexadecimal digits into `room`; unpredictable enough for names, not for secrets.
  std::string_view random_hex(char* room, size_t digits);

  // A request began or ended, for the gauge that all workers see.
  void request_began();
  void request_ended();
  uint64_t requests() const { return requests_; }
  void count_timeout(Phase phase) { timeouts_[static_cast<size_t>(phase)].add(); }
  void count_reject(http::Refusal refusal, http::Version version) {
    (version == http::Version::kHttp2 ? http2_rejects_ : rejects_total_)[static_cast<size_t>(refusal)].add();
  }
  void count_bad_response(http::Refusal refusal) { upstream_bad_[static_cast<size_t>(refusal)].add(); }
  void record_reject(const status::RejectView& reject) { reject_region_.record(slot_, reject); }

  // A rate limit that only observes would have turned a client away; a line a second at most.
  void log_observed(std::string_view limit, std::string_view client);

  // Told of each PURGE that was carried out: {mode, client, subjects}, texts of UTF-8.
  using PurgeRecorder = std::function<void(nlohmann::json record)>;
  void on_purge(PurgeRecorder recorder) { purge_recorder_ = std::move(recorder); }
  // At most 20 a second: above, the log alone tells.
  void record_purge(nlohmann::json record);

  metrics::Cell route_misses;
  metrics::Cell loops;
  metrics::Cell misdirected;
  metrics::Cell tunnels_total;
  metrics::Cell tunnels;

 private:
  uint64_t next_random();

  async::EventLoop& loop_;
  net::BufferPool& buffers_;
  const status::StatusRegion& status_;
  const status::RejectRegion& reject_region_;
  const limits::LimitsRegion& limits_;
  uint32_t slot_;
  Log& log_;
  upstream::Balancer balancer_;
  SharedCache& shared_cache_;
  authentication::Remembered remembered_;
  SlowChecks slow_checks_;
  std::shared_ptr<const Configuration> configuration_;
  std::unique_ptr<AccessLog> access_log_;
  PurgeRecorder purge_recorder_;
  Instant purges_counted_from_{};
  int purges_recorded_ = 0;   // since then
  Instant last_observed_{};
  std::array<metrics::Cell, 7> timeouts_;
  std::array<metrics::Cell, http::kRefusalCount> rejects_total_;
  std::array<metrics::Cell, http::kRefusalCount> http2_rejects_;
  std::array<metrics::Cell, http::kRefusalCount> upstream_bad_;
  std::array<uint64_t, 4> random_{};
  std::array<char, 30> date_{};
  Instant date_made_{};
  int64_t wall_offset_ms_ = 0;
  uint64_t requests_ = 0;
  bool draining_ = false;
  async::TaskGroup tasks_;   // goes before what its tasks use
};

}   // namespace proxyd::proxy
