#pragma once

#include <memory>
#include <vector>

#include "shared/base/log.h"
#include "shared/cache/cache.h"
#include "shared/ipc/inheritance.h"
#include "shared/ipc/publication.h"
#include "shared/limits/limits_region.h"
#include "shared/memory/wake_descriptors.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/reject_region.h"
#include "shared/status/status_region.h"
#include "shared/tickets/ticket_region.h"
#include "worker/async/event_loop.h"
#include "worker/downstream/acceptor.h"
#include "worker/downstream/connections.h"
#include "worker/downstream/pooled_memory.h"
#include "worker/net/buffer_pool.h"
#include "worker/net/pipe_pool.h"
#include "worker/proxy/configuration.h"
#include "worker/proxy/proxy.h"
#include "worker/upstream/prober.h"

namespace proxyd::worker {

// One worker process, wired: the loop and everything that runs in it. Owned by main. States move one way: starting
// (no configuration yet), running, draining. It obeys `Control` and does the housekeeping once a second.
class Worker {
 public:
  // What it shares with the master and the other workers.
  struct Regions {
    metrics::MetricsRegion metrics;
    status::StatusRegion status;
    status::RejectRegion rejects;
    tickets::TicketRegion tickets;
    limits::LimitsRegion limits;
    memory::Region cache;
    memory::WakeDescriptors wakes;
  };
  Worker(const ipc::Inheritance& inheritance, Regions regions, Log& log);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  enum class State : uint8_t { kStarting, kRunning, kDraining };

  void run() { loop_.run(); }
  void stop() { loop_.stop(); }
  async::EventLoop& loop() { return loop_; }
  Log& log() { return log_; }
  State state() const { return state_; }

  // A configuration with what came along, ready but not in force.
  struct Prepared {
    std::shared_ptr<const proxy::Configuration> configuration;
    std::vector<ipc::Publication::Socket> sockets;
    std::vector<UniqueFd> access_logs;
    UniqueFd error_log;
  };
  Result<Prepared, proxy::ConfigurationBuilder::Refusal> prepare(config::Snapshot snapshot, ipc::Publication given);
  void activate(Prepared prepared);
  // A configuration that will never serve, to answer a question by: it shares no targets with the one in force.
  Result<std::shared_ptr<const proxy::Configuration>, proxy::ConfigurationBuilder::Refusal> build_apart(
      config::Snapshot snapshot);
  void look_at_listeners() { acceptor_.look_again(); }
  // Ends what runs at the target of that row, of requests of older configurations too.
  void cut(uint32_t row);
  // Leaves the listeners now, finishes what runs, cuts the rest at the deadline, then stops the loop.
  void drain(Deadline deadline);
  const proxy::Configuration* configuration() const { return proxy_.configuration().get(); }
  // The same, kept by who holds it.
  std::shared_ptr<const proxy::Configuration> shared_configuration() const { return proxy_.configuration(); }
  void on_purge(proxy::Proxy::PurgeRecorder recorder) { proxy_.on_purge(std::move(recorder)); }
  cache::Cache& cache() { return cache_; }
  caching::Moment moment() { return proxy_.moment(); }

 private:
  upstream::Services upstream_services();
  downstream::Settings settings_for(const config::Listener& listener, const proxy::Configuration& configuration) const;
  void set_logs(std::vector<UniqueFd> access_logs, UniqueFd error_log);
  void housekeeping();
  void say_what_is_held();
  void finish_if_drained();

  struct Housekeeping : async::Wakeup {
    explicit Housekeeping(Worker& owner)
        : Wakeup([](Wakeup& self) { static_cast<Housekeeping&>(self).worker.housekeeping(); }), worker(owner) {}
    Worker& worker;
  };

  Log& log_;
  metrics::MetricsRegion metrics_;
  status::StatusRegion status_;
  status::RejectRegion rejects_;
  tickets::TicketRegion tickets_;
  limits::LimitsRegion limits_;
  uint32_t slot_;
  memory::Region cache_region_;
  memory::WakeDescriptors wake_descriptors_;
  cache::Cache cache_;
  UniqueFd error_log_;   // outlives all that may write to it
  async::EventLoop loop_;
  async::Watched own_wake_;   // our eventfd: who is woken by it looks for news in the regions
  net::BufferPool buffers_;
  net::PipePool pipes_;
  proxy::SharedCache shared_cache_;
  downstream::PooledMemory http2_memory_;
  http2::Counters upstream_http2_counters_;
  proxy::ConfigurationBuilder builder_;
  proxy::Proxy proxy_;
  upstream::Prober prober_;
  async::Turns handshakes_;
  http2::Counters http2_counters_;
  downstream::Connections connections_;
  downstream::Acceptor acceptor_;
  std::map<std::string, std::shared_ptr<downstream::Listener>> listeners_;
  uint64_t waits_generation_ = 1;
  std::vector<std::weak_ptr<const proxy::Configuration>> held_;   // in force, or still a request's
  metrics::Cell buffer_hits_;
  metrics::Cell buffer_misses_;
  Housekeeping housekeeping_;
  async::Timer tick_;
  Deadline drain_deadline_ = Deadline::never();
  State state_ = State::kStarting;
};

}   // namespace proxyd::worker
