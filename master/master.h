#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "master/attention.h"
#include "master/bootstrap.h"
#include "master/certificate_vault.h"
#include "master/chores.h"
#include "master/configuration.h"
#include "master/document_file.h"
#include "master/events.h"
#include "master/late_records.h"
#include "master/listeners.h"
#include "master/process_overrides.h"
#include "master/region_keeper.h"
#include "master/resolver.h"
#include "master/state_folder.h"
#include "master/store/sqlite_store.h"
#include "master/ticket_rotation.h"
#include "master/transition_watch.h"
#include "master/worker_pool.h"
#include "shared/base/kernel_tls.h"
#include "shared/base/log.h"

namespace proxyd::master {

// The master process, wired: it owns everything that outlives a worker. Owned by main. `run` is the loop of signals,
// workers and time, in main's thread; the admin server's threads use the parts.
class Master {
 public:
  struct StartError {
    enum class Kind { kInUse, kOther };   // kInUse: another proxyd has the state folder
    Kind kind = Kind::kOther;
    std::string message;
  };
  static Result<std::unique_ptr<Master>, StartError> create(Bootstrap bootstrap, Log& log);
  ~Master();

  // Brings up the configuration; workers start when `run` turns. Fails when an address cannot be bound or a document is
  // wrong.
  Result<void, DocumentError> start();
  // Until a signal or `shut_down` ends it; the exit status.
  int run();
  // From any thread but the loop's: end gracefully within `grace`; read the files again and reopen the logs.
  void shut_down(milliseconds grace);
  Result<void, DocumentError> reload();

  const Bootstrap& bootstrap() const { return bootstrap_; }
  Configuration& configuration() { return *configuration_; }
  WorkerPool& pool() { return *pool_; }
  RegionKeeper& regions() { return *regions_; }
  ProcessOverrides& process_overrides() { return *process_overrides_; }
  store::Store& store() { return *store_; }
  CertificateVault& vault() { return *vault_; }
  LateRecords& records() { return *records_; }
  Events& events() { return events_; }
  Log& log() { return log_; }
  // attention.cpp
  Readiness readiness();
  std::vector<Attention> attention();
  Instant started() const { return started_; }
  const KernelTlsCiphers& kernel_tls() const { return kernel_tls_; }
  // True while the loop turns (livez).
  bool alive() const;

 private:
  Master(Bootstrap bootstrap, Log& log) : bootstrap_(std::move(bootstrap)), log_(log) {}
  Result<void, StartError> open();
  Result<void, DocumentError> start_document();
  Result<void, DocumentError> load_document(const std::string& path, const std::string& origin, milliseconds patience);
  Result<void, DocumentError> quick_start(bool resumed);
  Result<void, DocumentError> put_in_force(config::Decoded decoded, std::string source, const std::string& author,
                                           const std::string& origin, const std::string& message,
                                           milliseconds patience);
  // `document`: that which differs, if it can be read.
  void note_difference(std::string text, std::string document = {});
  std::string difference();
  void handle_signals();
  void tick();
  void publish_epoch();
  void tell_transitions();
  void begin_shutdown(milliseconds grace);
  void drain_workers();
  void wake();
  void wait(milliseconds limit);

  Bootstrap bootstrap_;
  Log& log_;
  Instant started_ = Clock::now();
  KernelTlsCiphers kernel_tls_;
  std::optional<StateFolder> state_folder_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<CertificateVault> vault_;
  std::unique_ptr<LateRecords> records_;
  std::unique_ptr<RegionKeeper> regions_;
  std::optional<TicketRotation> ticket_rotation_;
  std::unique_ptr<Listeners> listeners_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<Resolver> resolver_;
  std::unique_ptr<Configuration> configuration_;
  Events events_;
  TransitionWatch transitions_{events_, log_};   // the chores' thread
  std::unique_ptr<ProcessOverrides> process_overrides_;
  UniqueFd signals_;
  UniqueFd wakeup_;
  std::mutex difference_mutex_;
  std::string difference_;           // between a file or flags and what serves
  std::string differing_document_;   // canonical
  std::atomic<bool> epoch_due_{false};
  std::atomic<bool> logs_due_{false};          // with the next epoch
  std::string epoch_failure_;                  // of the last one; the chores' thread
  std::atomic<bool> all_have_served_{false};   // every worker did, once
  std::atomic<int64_t> requested_grace_ms_{-1};
  std::atomic<int64_t> last_turn_ms_{0};
  Deadline drain_at_ = Deadline::never();   // shutdown.delay is over
  Deadline end_at_ = Deadline::never();
  milliseconds grace_{60'000};
  int terminations_ = 0;
  std::atomic<bool> ending_{false};
  Instant last_tick_{};
  Instant last_epoch_{};
  Deadline copy_at_ = Deadline::at(Instant{});
  std::unique_ptr<Chores> chores_;
};

}   // namespace proxyd::master
