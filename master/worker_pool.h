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
#include "master/private_memory.h"
#include "master/region_keeper.h"
#include "master/spawn.h"
#include "master/watch_dog.h"
#include "master/worker_process.h"
#include "shared/base/log.h"
#include "shared/ipc/publication.h"

namespace proxyd::master {

// One row of `GET /workers`.
struct WorkerInfo {
  uint32_t slot = 0;
  pid_t pid = 0;
  std::string state;   // starting, running, draining, resting, dead
  uint64_t revision = 0;
  uint64_t connections = 0;
  uint64_t in_flight = 0;
  uint64_t memory_bytes = 0;   // private
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

  // Called, under the pool's mutex, with what a worker says of a PURGE: {mode, client, subjects}.
  void on_purge(std::function<void(const nlohmann::json& record)> callback) { on_purge_ = std::move(callback); }

  // How many slots run. More are started by `turn`, fewer are drained.
  void scale(int count, milliseconds grace);
  int wanted();
  std::vector<WorkerInfo> list();
  // A new worker starts, and when it serves, the one of this slot drains. False when no worker serves there.
  bool restart(uint32_t slot, milliseconds grace);
  // The answer of one running worker, or nothing after `patience`. A descriptor may go along.
  std::optional<nlohmann::json> ask(const nlohmann::json& question, milliseconds patience, UniqueFd attached = {});
  // The same of any worker that answers: one that dies or is silent is passed over for another, or for one that begins
  // to serve meanwhile.
  std::optional<nlohmann::json> ask_any(const nlohmann::json& question);
  // The error log's level of every worker, now and to come. Empty: the document's, which is `declared`.
  void set_log_level(std::string name, const std::string& declared);

  // Ends what runs at the target of that row, in every worker that serves or drains; they do it soon after.
  void cut(uint32_t row);

  struct Refusal {
    uint32_t slot = 0;
    std::string pointer;
    std::string text;
  };
  // Two-phase publication: `prepare` sends it to every worker and waits for all to say so; no worker is started until
  // `activate` or `discard`. A silent or dead worker is replaced and does not count.
  std::optional<Refusal> prepare(std::shared_ptr<const ipc::Publication> publication, milliseconds patience);
  // Says how many workers confirmed. The rest are drained and replaced.
  size_t activate(milliseconds patience);
  void discard();
  // No worker is started any more, and the publication's listening sockets close. After `shut_down`.
  void forget_publication();

  size_t serving();
  bool none_left();
  // How many slots rest after too many deaths.
  size_t resting();
  // Drains all and waits until they are gone or `grace` has passed; then ends them.
  void shut_down(milliseconds grace);
  void kill_all();

 private:
  using Lock = std::unique_lock<std::mutex>;
  struct Slot {
    BackOff back_off;
    std::string last_exit;
    uint64_t restarts = 0;
  };
  struct Reply {
    uint32_t slot = 0;
    ipc::Message message;
  };

  std::vector<uint32_t> empty_places() const;
  bool is_last(uint32_t slot) const;
  void start_due();
  void start(uint32_t slot);
  void retire_replaced();
  std::vector<WorkerInfo> list_without_memory();
  void receive(WorkerProcess& worker);
  void end_misbehaving(const WorkerProcess& worker);
  void take(WorkerProcess& worker, ipc::Message message);
  void reap(WorkerProcess& worker);
  void end_process(WorkerProcess& worker, std::string exit);
  void drain(WorkerProcess& worker, milliseconds grace);
  void end_hanging();
  bool is_current(const ipc::Message& reply) const;
  void replace_silent(const std::set<uint64_t>& incarnations);
  // Until all of `waiting` have answered `id` or died; what is left in it has done neither.
  void await(Lock& lock, uint64_t id, std::set<uint64_t>& waiting, milliseconds patience);
  std::optional<nlohmann::json> ask_one(Lock& lock, WorkerProcess& worker, const nlohmann::json& question,
                                        milliseconds patience, UniqueFd attached = {});
  void send(WorkerProcess& worker, ipc::Message message);
  void send(WorkerProcess& worker, ipc::MessageType type, uint64_t id, nlohmann::json body);
  bool slot_is_occupied(uint32_t slot) const;
  // Whether it holds one of the wanted places: neither draining nor being replaced.
  static bool is_placed(const WorkerProcess& worker);
  size_t placed() const;
  size_t serving_locked() const;
  void changed() {
    if (on_change_) on_change_();
  }
  static std::string describe_exit(int code, int status);

  RegionKeeper& regions_;
  Spawn spawn_;
  Log& log_;
  std::mutex mutex_;
  std::condition_variable replied_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  std::map<uint32_t, Slot> slots_;
  std::shared_ptr<const ipc::Publication> current_;
  std::shared_ptr<const ipc::Publication> prepared_;
  std::set<uint64_t> asked_;                                // incarnations that have prepared `prepared_`
  std::map<uint64_t, std::map<uint64_t, Reply>> replies_;   // by id that somebody awaits, then incarnation
  std::function<void()> on_change_;
  std::function<void(const nlohmann::json&)> on_purge_;
  uint64_t next_id_ = 1;
  uint64_t next_incarnation_ = 1;
  WatchDog watch_dog_;
  PrivateMemory memory_;
  int wanted_ = 0;
  milliseconds grace_{60'000};
  bool shutting_down_ = false;
  std::string log_level_;
};

}   // namespace proxyd::master
