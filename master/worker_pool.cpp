#include "master/worker_pool.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "master/worker_message.h"
#include "shared/ipc/inheritance.h"

namespace proxyd::master {
namespace {

using ipc::MessageType;
using State = WorkerProcess::State;

constexpr auto kAbortTime = milliseconds(1000);
constexpr auto kDrainSlack = milliseconds(2000);
constexpr int kMostMessages = 64;            // of a worker in one turn
constexpr uint32_t kSlotsForWorkers = 128;   // the rest is for generations that drain

void signal_process(const WorkerProcess& worker, int signal) {
  ::syscall(SYS_pidfd_send_signal, worker.pidfd(), signal, nullptr, 0u);
}

}   // namespace

WorkerPool::WorkerPool(RegionKeeper& regions, Spawn spawn, Log& log)
    : regions_(regions), spawn_(std::move(spawn)), log_(log) {}

WorkerPool::~WorkerPool() { kill_all(); }

std::vector<int> WorkerPool::descriptors() {
  const Lock lock(mutex_);
  std::vector<int> all;
  for (const auto& worker : workers_) {
    all.push_back(worker->pidfd());
    all.push_back(worker->channel().descriptor());
  }
  return all;
}

void WorkerPool::turn() {
  const Lock lock(mutex_);
  const size_t count = workers_.size();
  for (size_t i = 0; i < count; ++i) {
    receive(*workers_[i]);
    reap(*workers_[i]);
  }
  std::erase_if(workers_, [](const auto& worker) { return !worker->alive(); });
  end_hanging();
  if (!prepared_) start_due();   // respawns wait between prepare and commit
  retire_replaced();
  replied_.notify_all();
}

bool WorkerPool::slot_is_occupied(uint32_t slot) const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [slot](const auto& worker) { return worker->slot() == slot && worker->alive(); });
}

size_t WorkerPool::serving_locked() const {
  return static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(),
                                           [](const auto& worker) { return worker->state() == State::kRunning; }));
}

bool WorkerPool::is_placed(const WorkerProcess& worker) {
  return worker.alive() && worker.state() != State::kDraining && !worker.replaced;
}

size_t WorkerPool::placed() const {
  return static_cast<size_t>(
      std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return is_placed(*worker); }));
}

// Slots that should run and do not: the first numbers that are free. One that drains keeps its own.
std::vector<uint32_t> WorkerPool::empty_places() const {
  std::vector<uint32_t> places;
  const size_t placed_now = placed();
  for (uint32_t slot = 0; slot < kSlotsForWorkers && placed_now + places.size() < static_cast<size_t>(wanted_);
       ++slot) {
    if (!slot_is_occupied(slot)) places.push_back(slot);
  }
  return places;
}

// Whether every other place rests, so that this one must not.
bool WorkerPool::is_last(uint32_t slot) const {
  if (placed() > 0) return false;
  const Instant now = Clock::now();
  const std::vector<uint32_t> places = empty_places();
  return std::all_of(places.begin(), places.end(), [&](uint32_t other) {
    const auto known = slots_.find(other);
    return other == slot || (known != slots_.end() && known->second.back_off.resting(now));
  });
}

void WorkerPool::start_due() {
  if (shutting_down_ || !current_) return;
  const Instant now = Clock::now();
  for (const uint32_t slot : empty_places()) {
    if (slots_[slot].back_off.next_start() <= now && regions_.cache().is_clear(slot)) start(slot);
  }
}

// As many as are wanted serve without those that were to be replaced: now these go.
void WorkerPool::retire_replaced() {
  const auto serving = std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->state() == State::kRunning && !worker->replaced;
  });
  if (serving < wanted_) return;
  for (const auto& worker : workers_) {
    if (worker->replaced && worker->state() == State::kRunning) drain(*worker, grace_);
  }
}

void WorkerPool::start(uint32_t slot) {
  auto channels = ipc::Channel::make_pair();
  if (!channels) return log_.error("{}", channels.error().message);
  const uint64_t incarnation = next_incarnation_++;
  ipc::Inheritance inheritance{slot, incarnation};
  inheritance.at("control") = channels->second.descriptor();
  inheritance.at("metrics") = regions_.metrics().descriptor();
  inheritance.at("status") = regions_.status().descriptor();
  inheritance.at("rejects") = regions_.rejects().descriptor();
  inheritance.at("tickets") = regions_.tickets().descriptor();
  inheritance.at("limits") = regions_.limits().descriptor();
  inheritance.at("cache") = regions_.cache().descriptor();
  inheritance.ceiling = regions_.cache().ceiling();
  inheritance.wakes = regions_.cache().wakes();
  auto child = spawn_.start("--inherit=" + inheritance.encode(), inheritance.numbers());
  if (!child) {
    slots_[slot].back_off.died(Clock::now(), Clock::now(), is_last(slot));
    return log_.error("worker {} could not be started: {}", slot, child.error().message);
  }
  std::ofstream(fmt::format("/proc/{}/oom_score_adj", child->pid)) << "200";   // before the master; refused is fine
  regions_.worker_started(slot, incarnation, child->pid,
                          config::edition_number(current_->edition.revision, current_->edition.epoch));
  workers_.push_back(std::make_unique<WorkerProcess>(slot, incarnation, child->pid, std::move(child->pidfd),
                                                     std::move(channels->first), Clock::now()));
  log_.info("worker {} started, pid {}", slot, child->pid);
  changed();
}

void WorkerPool::send(WorkerProcess& worker, ipc::Message message) {
  if (!worker.channel().send(std::move(message))) log_.warning("worker {} takes no messages", worker.slot());
}

void WorkerPool::send(WorkerProcess& worker, MessageType type, uint64_t id, nlohmann::json body) {
  ipc::Message message;
  message.type = type;
  message.id = id;
  message.body = std::move(body);
  send(worker, std::move(message));
}

// What is left stays for the next turn, so that no worker keeps the loop busy.
void WorkerPool::receive(WorkerProcess& worker) {
  for (int taken = 0; worker.alive() && taken < kMostMessages; ++taken) {
    auto message = worker.channel().receive();
    const bool broken = !message && message.error() == ipc::ChannelError::kBroken;
    if (broken || (message && !is_well_formed(*message))) return end_misbehaving(worker);
    if (!message) return;   // nothing more, or its end, which the pidfd tells as well
    take(worker, std::move(*message));
  }
}

void WorkerPool::end_misbehaving(const WorkerProcess& worker) {
  log_.error("worker {} (pid {}) said what no worker says: it is killed", worker.slot(), worker.pid());
  signal_process(worker, SIGKILL);
}

// Whether a worker speaks of what is in force: a change may have come between two messages of its start.
bool WorkerPool::is_current(const ipc::Message& reply) const {
  return current_ && ipc::Edition::of(reply.body) == current_->edition;
}

void WorkerPool::take(WorkerProcess& worker, ipc::Message message) {
  const bool start_up = message.id == 0;
  if (start_up && !current_) return;   // the end has come
  switch (message.type) {
    case MessageType::kHello:
      if (worker.state() != State::kStarting) return;
      worker.move_to(State::kPreparing);
      return send(worker, current_->message(0));
    case MessageType::kPrepared:
      if (!start_up) break;
      if (!is_current(message)) return send(worker, current_->message(0));
      return send(worker, MessageType::kActivate, 0, current_->edition.body());
    case MessageType::kRefused:
      if (!start_up) break;
      log_.error("worker {} refused revision {}: {}", worker.slot(), current_->edition.revision,
                 message.body.value("text", ""));
      return send(worker, MessageType::kStop, 0, nlohmann::json::object());
    case MessageType::kActivated:
      if (start_up && !is_current(message)) return send(worker, current_->message(0));
      if (worker.state() == State::kPreparing) worker.move_to(State::kRunning);
      if (!log_level_.empty())
        send(worker, MessageType::kLogLevel, 0, {{"level", log_level_}});   // over the document's
      if (start_up) return;
      break;
    case MessageType::kPurged:
      if (on_purge_) on_purge_(message.body);
      return;
    default: break;
  }
  if (const auto awaited = replies_.find(message.id); awaited != replies_.end())
    awaited->second[worker.incarnation()] = {worker.slot(), std::move(message)};
}

std::string WorkerPool::describe_exit(int code, int status) {
  if (code == CLD_EXITED) return fmt::format("exited with {}", status);
  return fmt::format("killed by signal {} ({})", status, ::strsignal(status));
}

void WorkerPool::reap(WorkerProcess& worker) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(worker.pidfd()), &info, WEXITED | WNOHANG) != 0) return;
  if (info.si_pid == 0) return;
  receive(worker);
  end_process(worker, describe_exit(info.si_code, info.si_status));
}

// Its gauges go, the others look at the listeners (a wake-up may have died with it), and its slot waits for its turn.
void WorkerPool::end_process(WorkerProcess& worker, std::string exit) {
  const bool expected = worker.state() == State::kDraining;
  worker.move_to(State::kDead);
  regions_.worker_died(worker.slot());
  Slot& slot = slots_[worker.slot()];
  slot.last_exit = exit;
  if (expected) {
    log_.info("worker {} (pid {}) is drained: {}", worker.slot(), worker.pid(), exit);
  } else {
    ++slot.restarts;
    slot.back_off.died(worker.started(), Clock::now(), is_last(worker.slot()));
    const bool rests = slot.back_off.resting(Clock::now());
    log_.error("worker {} (pid {}) died: {}; {}", worker.slot(), worker.pid(), exit,
               rests ? "more than 5 deaths in 60 s, its slot rests for 60 s" : "it is started again");
    regions_.metrics().cell(metrics::MetricsRegion::kMasterSlot, "proxyd_process_restarts_total", "").add();
  }
  for (const auto& other : workers_) {
    if (other->state() == State::kRunning) send(*other, MessageType::kLookAtListeners, 0, nlohmann::json::object());
  }
  changed();
}

void WorkerPool::drain(WorkerProcess& worker, milliseconds grace) {
  if (!worker.alive()) return;
  if (worker.state() != State::kDraining) worker.move_to(State::kDraining);
  worker.end_at = Deadline::at(Clock::now() + grace + kDrainSlack);
  send(worker, MessageType::kDrain, 0, {{"deadline_ms", grace.count()}});
}

// A worker that turns no loop for 5 s is aborted, for its trace, and a second later killed: one at a time. One that
// outlives its drain is killed too.
void WorkerPool::end_hanging() {
  const Instant now = Clock::now();
  watch_dog_.turn(now);
  bool one_is_dying =
      std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return !worker->kill_at.is_never(); });
  for (const auto& worker : workers_) {
    if (worker->kill_at.passed(now) || worker->end_at.passed(now)) signal_process(*worker, SIGKILL);
    const uint64_t heartbeat = regions_.status().worker(worker->slot()).heartbeat_ms.load(std::memory_order_relaxed);
    if (one_is_dying || !watch_dog_.hangs(now, RegionKeeper::heartbeat_now(), heartbeat) || !worker->alive()) continue;
    log_.error("worker {} (pid {}) turns no loop: it is aborted", worker->slot(), worker->pid());
    signal_process(*worker, SIGABRT);
    worker->kill_at = Deadline::at(now + kAbortTime);
    one_is_dying = true;
  }
}

void WorkerPool::scale(int count, milliseconds grace) {
  const Lock lock(mutex_);
  wanted_ = count;
  grace_ = grace;
  std::vector<WorkerProcess*> running;
  for (const auto& worker : workers_) {
    if (is_placed(*worker)) running.push_back(worker.get());
  }
  std::sort(running.begin(), running.end(), [](const auto* a, const auto* b) { return a->slot() < b->slot(); });
  for (size_t i = static_cast<size_t>(count); i < running.size(); ++i) drain(*running[i], grace);
  changed();
}

int WorkerPool::wanted() {
  const Lock lock(mutex_);
  return wanted_;
}

// Memory takes the kernel a while to tell, so it is asked without the lock.
std::vector<WorkerInfo> WorkerPool::list() {
  std::vector<WorkerInfo> all = list_without_memory();
  for (WorkerInfo& worker : all) {
    if (worker.pid != 0) worker.memory_bytes = memory_.of(worker.pid);
  }
  return all;
}

std::vector<WorkerInfo> WorkerPool::list_without_memory() {
  const Lock lock(mutex_);
  std::vector<WorkerInfo> all;
  for (const auto& worker : workers_) {
    const status::WorkerSlot& words = regions_.status().worker(worker->slot());
    const Slot& slot = slots_[worker->slot()];
    all.push_back({worker->slot(), worker->pid(), std::string(to_string(worker->state())), words.revision.load(),
                   words.connections.load(), words.in_flight.load(), 0, words.loop_lag_us.load(), slot.restarts,
                   slot.last_exit});
  }
  const Instant now = Clock::now();
  for (const uint32_t number : empty_places()) {
    const Slot& slot = slots_[number];
    all.push_back({.slot = number,
                   .state = slot.back_off.resting(now) ? "resting" : "dead",
                   .restarts = slot.restarts,
                   .last_exit = slot.last_exit});
  }
  std::sort(all.begin(), all.end(), [](const WorkerInfo& a, const WorkerInfo& b) { return a.slot < b.slot; });
  return all;
}

bool WorkerPool::restart(uint32_t slot, milliseconds grace) {
  const Lock lock(mutex_);
  const auto found = std::find_if(workers_.begin(), workers_.end(), [slot](const auto& worker) {
    return worker->slot() == slot && worker->state() == State::kRunning;
  });
  if (found == workers_.end()) return false;
  (*found)->replaced = true;
  grace_ = grace;
  changed();
  return true;
}

void WorkerPool::set_log_level(std::string name, const std::string& declared) {
  const Lock lock(mutex_);
  log_level_ = std::move(name);
  for (const auto& worker : workers_) {
    if (worker->state() == State::kRunning)   // others are told when they serve
      send(*worker, MessageType::kLogLevel, 0, {{"level", log_level_.empty() ? declared : log_level_}});
  }
}

void WorkerPool::cut(uint32_t row) {
  const Lock lock(mutex_);
  for (const auto& worker : workers_) {
    if (worker->state() == State::kRunning || worker->state() == State::kDraining)
      send(*worker, MessageType::kCut, 0, {{"row", row}});
  }
}

size_t WorkerPool::serving() {
  const Lock lock(mutex_);
  return serving_locked();
}

bool WorkerPool::none_left() {
  const Lock lock(mutex_);
  return workers_.empty();
}

size_t WorkerPool::resting() {
  const Lock lock(mutex_);
  const Instant now = Clock::now();
  const std::vector<uint32_t> places = empty_places();
  return static_cast<size_t>(
      std::count_if(places.begin(), places.end(), [&](uint32_t slot) { return slots_[slot].back_off.resting(now); }));
}

void WorkerPool::shut_down(milliseconds grace) {
  const Lock lock(mutex_);
  shutting_down_ = true;
  for (const auto& worker : workers_) drain(*worker, grace);
}

void WorkerPool::kill_all() {
  const Lock lock(mutex_);
  shutting_down_ = true;
  for (const auto& worker : workers_) {
    if (!worker->alive()) continue;
    signal_process(*worker, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(worker->pidfd()), &info, WEXITED);
  }
  workers_.clear();
  replied_.notify_all();
}

}   // namespace proxyd::master
