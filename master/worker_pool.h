#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "master/back_off.h"
#include "master/publication.h"
#include "master/region_keeper.h"
#include "master/spawn.h"
#include "master/worker_process.h"
#include "shared/base/log.h"

namespace proxyd::master {

// One row of `GET /workers`.
struct WorkerInfo {
  uint32_t slot = 0;
  pid_t pid = 0;
  std::string state;             // starting, running, draining, resting, dead
  uint64_t revision = 0;
  uint64_t connections = 0;
  uint64_t in_flight = 0;
  uint64_t memory_bytes = 0;     // private
  uint64_t loop_lag_us = 0;
  uint64_t restarts = 0;
  std::string last_exit;
};

// The workers: started, watched, started again, drained, ended. Owned by the master. The loop's thread calls `turn`
// when a descriptor of `descriptors` is ready or time has passed; other threads publish, ask and scale, under the
// pool's mutex, and wait for workers' replies with a deadline.
class WorkerPool {
 public:
  WorkerPool(RegionKeeper& regions, Spawn spawn, Log& log);
  ~WorkerPool();

  // From the loop's thread.
  void turn();
  std::vector<int> descriptors();
  // Called (from any thread) when `descriptors` has changed.
  void on_change(std::function<void()> callback) { on_change_ = std::move(callback); }

  // How many slots run. More are started by `turn`, fewer are drained.
  void scale(int count, milliseconds grace);
  int wanted();
  std::vector<WorkerInfo> list();
  // A new worker for this slot's turn, then the old one drains. False when there is no such running worker.
  bool restart(uint32_t slot, milliseconds grace);
  // The answer of one running worker, or nothing after `patience`.
  std::optional<nlohmann::json> ask(const nlohmann::json& question, milliseconds patience);
  void broadcast(ipc::MessageType type, const nlohmann::json& body);

  struct Refusal {
    uint32_t slot = 0;
    std::string pointer;
    std::string text;
  };
  // Two-phase publication: `prepare` sends it to every worker and waits for all to say so; no worker is started until
  // `activate` or `discard`. A silent or dead worker is replaced and does not count.
  std::optional<Refusal> prepare(std::shared_ptr<const Publication> publication, milliseconds patience);
  // Says how many workers confirmed. The rest are drained and replaced.
  size_t activate(milliseconds patience);
  void discard();

  size_t serving();
  bool none_left();
  bool any_resting();
  // Drains all and waits until they are gone or `grace` has passed; then ends them.
  void shut_down(milliseconds grace);
  void kill_all();

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Slot {
    BackOff back_off;
    std::string last_exit;
    uint64_t restarts = 0;
    bool wanted = false;
  };

  void start_due();
  void start(uint32_t slot);
  void receive(WorkerProcess& worker);
  void take(WorkerProcess& worker, ipc::Message message);
  void reap(WorkerProcess& worker);
  void end_process(WorkerProcess& worker, std::string exit);
  void drain(WorkerProcess& worker, milliseconds grace);
  void watch_dog();
  void send(WorkerProcess& worker, ipc::Message message);
  void send(WorkerProcess& worker, ipc::MessageType type, uint64_t id, nlohmann::json body);
  bool slot_is_occupied(uint32_t slot) const;
  size_t serving_locked() const;
  void changed() { if (on_change_) on_change_(); }
  static std::string describe_exit(int code, int status);

  RegionKeeper& regions_;
  Spawn spawn_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable replied_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  std::map<uint32_t, Slot> slots_;
  std::shared_ptr<const Publication> current_;
  std::shared_ptr<const Publication> prepared_;
  std::map<uint64_t, std::map<uint32_t, ipc::Message>> replies_;   // by id, then slot
  std::function<void()> on_change_;
  uint64_t next_id_ = 1;
  uint64_t next_incarnation_ = 1;
  Instant last_turn_{};
  int wanted_ = 0;
  milliseconds grace_{60'000};
  bool shutting_down_ = false;
};

}  // namespace proxyd::master
