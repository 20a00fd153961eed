#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "master/attention.h"
#include "master/bootstrap.h"
#include "master/configuration.h"
#include "master/events.h"
#include "master/listeners.h"
#include "master/region_keeper.h"
#include "master/resolver.h"
#include "master/store/sqlite_store.h"
#include "master/worker_pool.h"
#include "shared/base/log.h"

namespace proxyd::master {

// The master process, wired: it owns everything that outlives a worker. Owned by main. `run` is the loop of signals,
// workers and time, in main's thread; the admin server's threads use the parts.
class Master {
 public:
  static Result<std::unique_ptr<Master>> create(Bootstrap bootstrap, Log& log);
  ~Master();

  // Brings up configuration and workers. Fails when an address cannot be bound or a document is wrong.
  Result<bool> start();
  // Until a signal or `shut_down` ends it; the exit status.
  int run();
  // From any thread: end gracefully within `grace`; reload.
  void shut_down(milliseconds grace);
  Result<bool> reload();

  const Bootstrap& bootstrap() const { return bootstrap_; }
  Configuration& configuration() { return *configuration_; }
  WorkerPool& pool() { return *pool_; }
  RegionKeeper& regions() { return *regions_; }
  store::Store& store() { return *store_; }
  Events& events() { return events_; }
  Log& log() { return log_; }
  Readiness readiness();
  std::vector<Attention> attention();
  Instant started() const { return started_; }
  // True while the loop turns (livez).
  bool alive() const;

 private:
  Master(Bootstrap bootstrap, Log& log) : bootstrap_(std::move(bootstrap)), log_(log) {}
  Result<bool> open();
  Result<bool> load_document(const std::string& path, const std::string& origin);
  Result<bool> quick_start();
  void handle_signals();
  void tick();
  void begin_shutdown(milliseconds grace);
  void wake();
  void wait(milliseconds limit);

  Bootstrap bootstrap_;
  Log& log_;
  Instant started_ = Clock::now();
  UniqueFd lock_file_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<RegionKeeper> regions_;
  std::unique_ptr<Listeners> listeners_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Configuration> configuration_;
  Events events_;
  UniqueFd signals_;
  UniqueFd wakeup_;
  std::string file_differs_;                    // --config differs from what the store has active
  std::atomic<bool> epoch_due_{false};
  std::atomic<int64_t> requested_grace_ms_{-1};
  std::atomic<int64_t> last_turn_ms_{0};
  Deadline drain_at_ = Deadline::never();       // shutdown.delay is over
  Deadline end_at_ = Deadline::never();
  milliseconds grace_{60'000};
  int terminations_ = 0;
  std::atomic<bool> ending_{false};
  Instant last_tick_{};
  Instant last_epoch_{};
};

}  // namespace proxyd::master
