#include "master/worker_pool.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <fstream>

#include "shared/ipc/inheritance.h"

namespace proxyd::master {
namespace {

using ipc::MessageType;
using State = WorkerProcess::State;

constexpr auto kHung = std::chrono::seconds(5);
constexpr auto kAbortTime = milliseconds(1000);
constexpr auto kDrainSlack = milliseconds(2000);
constexpr uint32_t kSlotsForWorkers = 128;   // the rest is for generations that drain

uint64_t monotonic_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

uint64_t private_memory(pid_t pid) {
  std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
  uint64_t total = 0;
  std::string line;
  while (std::getline(rollup, line)) {
    if (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:")) total += std::stoull(line.substr(14)) * 1024;
  }
  return total;
}

void signal_process(const WorkerProcess& worker, int signal) {
  ::syscall(SYS_pidfd_send_signal, worker.pidfd(), signal, nullptr, 0u);
}

}  // namespace

WorkerPool::WorkerPool(RegionKeeper& regions, Spawn spawn, Log& log) : regions_(regions), spawn_(std::move(spawn)), log_(log) {}

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
  watch_dog();
  if (!prepared_) start_due();   // respawns wait between prepare and commit
  replied_.notify_all();
}

bool WorkerPool::slot_is_occupied(uint32_t slot) const {
  return std::any_of(workers_.begin(), workers_.end(), [slot](const auto& worker) { return worker->slot() == slot && worker->alive(); });
}

size_t WorkerPool::serving_locked() const {
  return static_cast<size_t>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->state() == State::kRunning; }));
}

// Slots that should run and do not. The first numbers that are free serve; one that drains keeps its own.
void WorkerPool::start_due() {
  if (shutting_down_ || !current_) return;
  int running = static_cast<int>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->alive() && worker->state() != State::kDraining; }));
  const Instant now = Clock::now();
  for (uint32_t slot = 0; slot < kSlotsForWorkers && running < wanted_; ++slot) {
    if (slot_is_occupied(slot)) continue;
    ++running;   // a slot that waits for its time still is somebody's place
    if (slots_[slot].back_off.next_start() <= now) start(slot);
  }
}

void WorkerPool::start(uint32_t slot) {
  auto channels = ipc::Channel::make_pair();
  if (!channels) return log_.error("{}", channels.error().message);
  const uint64_t incarnation = next_incarnation_++;
  const ipc::Inheritance inheritance{slot, incarnation, 3, 4, 5, 6};
  auto child = spawn_.start("--inherit=" + inheritance.encode(),
                            {{channels->second.descriptor(), 3}, {regions_.metrics().descriptor(), 4}, {regions_.status().descriptor(), 5}, {regions_.rejects().descriptor(), 6}});
  if (!child) {
    slots_[slot].back_off.died(Clock::now(), Clock::now(), true);
    return log_.error("worker {} could not be started: {}", slot, child.error().message);
  }
  std::ofstream(fmt::format("/proc/{}/oom_score_adj", child->pid)) << "200";   // before the master; refused is fine
  regions_.status().note_slot(slot);
  status::WorkerSlot& words = regions_.status().worker(slot);
  words.incarnation.store(incarnation);
  words.pid.store(static_cast<uint64_t>(child->pid));
  words.heartbeat_ms.store(monotonic_ms());
  words.oldest_revision.store(current_->revision);
  workers_.push_back(std::make_unique<WorkerProcess>(slot, incarnation, child->pid, std::move(child->pidfd), std::move(channels->first), Clock::now()));
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

void WorkerPool::receive(WorkerProcess& worker) {
  while (worker.alive()) {
    auto message = worker.channel().receive();
    if (!message) return;   // nothing more, or its end, which the pidfd tells as well
    take(worker, std::move(*message));
  }
}

void WorkerPool::take(WorkerProcess& worker, ipc::Message message) {
  const bool start_up = message.id == 0;
  switch (message.type) {
    case MessageType::kHello:
      if (worker.state() != State::kStarting || !current_) return;
      worker.move_to(State::kPreparing);
      return send(worker, current_->message(0));
    case MessageType::kPrepared:
      if (start_up) return send(worker, MessageType::kActivate, 0, {{"revision", current_->revision}, {"epoch", current_->epoch}});
      break;
    case MessageType::kRefused:
      if (!start_up) break;
      log_.error("worker {} refused revision {}: {}", worker.slot(), current_->revision, message.body.value("text", ""));
      return send(worker, MessageType::kStop, 0, nlohmann::json::object());
    case MessageType::kActivated:
      if (worker.state() == State::kPreparing) worker.move_to(State::kRunning);
      regions_.status().worker(worker.slot()).oldest_revision.store(message.body.value("revision", uint64_t{0}));
      if (start_up) return;
      break;
    default: break;
  }
  replies_[message.id][worker.slot()] = std::move(message);
}

std::string WorkerPool::describe_exit(int code, int status) {
  if (code == CLD_EXITED) return fmt::format("exited with {}", status);
  return fmt::format("killed by signal {} ({})", status, ::strsignal(status));
}

void WorkerPool::reap(WorkerProcess& worker) {
  siginfo_t info{};
  if (::waitid(static_cast<idtype_t>(3) /* P_PIDFD */, static_cast<id_t>(worker.pidfd()), &info, WEXITED | WNOHANG) != 0) return;
  if (info.si_pid == 0) return;
  receive(worker);
  end_process(worker, describe_exit(info.si_code, info.si_status));
}

// Its gauges go, the others accept once (a wake-up may have died with it), and its slot waits for its turn.
void WorkerPool::end_process(WorkerProcess& worker, std::string exit) {
  const bool expected = worker.state() == State::kDraining;
  worker.move_to(State::kDead);
  regions_.status().clear_worker(worker.slot());
  regions_.metrics().zero_gauges(worker.slot());
  Slot& slot = slots_[worker.slot()];
  slot.last_exit = exit;
  if (expected) {
    log_.info("worker {} (pid {}) is drained: {}", worker.slot(), worker.pid(), exit);
  } else {
    ++slot.restarts;
    slot.back_off.died(worker.started(), Clock::now(), serving_locked() == 0);
    log_.error("worker {} (pid {}) died: {}; it is started again", worker.slot(), worker.pid(), exit);
    const uint32_t row = regions_.metrics().add("proxyd_process_restarts_total", "", metrics::Kind::kCounter);
    (void)row;
    regions_.metrics().cell(metrics::MetricsRegion::kMasterSlot, "proxyd_process_restarts_total", "").add();
  }
  for (const auto& other : workers_) {
    if (other->state() == State::kRunning) send(*other, MessageType::kAcceptOnce, 0, nlohmann::json::object());
  }
  changed();
}

void WorkerPool::drain(WorkerProcess& worker, milliseconds grace) {
  if (!worker.alive()) return;
  if (worker.state() != State::kDraining) worker.move_to(State::kDraining);
  worker.end_at = Deadline::at(Clock::now() + grace + kDrainSlack);
  send(worker, MessageType::kDrain, 0, {{"deadline_ms", grace.count()}});
}

// A worker that turns no loop for 5 s is aborted, for its trace, and a second later killed: one at a time, and not
// when it was the machine that slept. One that outlives its drain is killed too.
void WorkerPool::watch_dog() {
  const Instant now = Clock::now();
  const bool slept = last_turn_ != Instant{} && now - last_turn_ > std::chrono::seconds(2);
  last_turn_ = now;
  const uint64_t now_ms = monotonic_ms();
  bool one_is_dying = std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return !worker->kill_at.is_never(); });
  for (const auto& worker : workers_) {
    if (worker->kill_at.passed(now) || worker->end_at.passed(now)) signal_process(*worker, SIGKILL);
    const uint64_t heartbeat = regions_.status().worker(worker->slot()).heartbeat_ms.load(std::memory_order_relaxed);
    const bool hung = now_ms > heartbeat + static_cast<uint64_t>(milliseconds(kHung).count()) && heartbeat != 0;
    if (slept || one_is_dying || !hung || worker->state() == State::kDead) continue;
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
    if (worker->serves() || worker->state() == State::kStarting) running.push_back(worker.get());
  }
  std::sort(running.begin(), running.end(), [](const auto* a, const auto* b) { return a->slot() < b->slot(); });
  for (size_t i = static_cast<size_t>(count); i < running.size(); ++i) drain(*running[i], grace);
  changed();
}

int WorkerPool::wanted() {
  const Lock lock(mutex_);
  return wanted_;
}

std::vector<WorkerInfo> WorkerPool::list() {
  const Lock lock(mutex_);
  std::vector<WorkerInfo> all;
  for (const auto& worker : workers_) {
    const status::WorkerSlot& words = regions_.status().worker(worker->slot());
    const Slot& slot = slots_[worker->slot()];
    all.push_back({worker->slot(), worker->pid(), std::string(to_string(worker->state())), words.revision.load(), words.connections.load(), words.in_flight.load(),
                   private_memory(worker->pid()), words.loop_lag_us.load(), slot.restarts, slot.last_exit});
  }
  const Instant now = Clock::now();
  for (const auto& [number, slot] : slots_) {
    if (slot_is_occupied(number) || static_cast<int>(number) >= wanted_) continue;
    all.push_back({.slot = number, .state = slot.back_off.resting(now) ? "resting" : "dead", .restarts = slot.restarts, .last_exit = slot.last_exit});
  }
  std::sort(all.begin(), all.end(), [](const WorkerInfo& a, const WorkerInfo& b) { return a.slot < b.slot; });
  return all;
}

bool WorkerPool::restart(uint32_t slot, milliseconds grace) {
  Lock lock(mutex_);
  const auto found = std::find_if(workers_.begin(), workers_.end(), [slot](const auto& worker) { return worker->slot() == slot && worker->serves(); });
  if (found == workers_.end()) return false;
  drain(**found, grace);
  changed();
  return true;
}

std::optional<nlohmann::json> WorkerPool::ask(const nlohmann::json& question, milliseconds patience) {
  Lock lock(mutex_);
  const auto found = std::find_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->state() == State::kRunning; });
  if (found == workers_.end()) return std::nullopt;
  const uint64_t id = next_id_++;
  send(**found, MessageType::kAsk, id, question);
  const bool answered = replied_.wait_for(lock, patience, [&] { return !replies_[id].empty(); });
  std::optional<nlohmann::json> answer;
  if (answered) answer = std::move(replies_[id].begin()->second.body);
  replies_.erase(id);
  return answer;
}

void WorkerPool::broadcast(MessageType type, const nlohmann::json& body) {
  const Lock lock(mutex_);
  for (const auto& worker : workers_) {
    if (worker->serves()) send(*worker, type, 0, body);
  }
}

std::optional<WorkerPool::Refusal> WorkerPool::prepare(std::shared_ptr<const Publication> publication, milliseconds patience) {
  Lock lock(mutex_);
  prepared_ = std::move(publication);
  const uint64_t id = next_id_++;
  std::vector<WorkerProcess*> asked;
  for (const auto& worker : workers_) {
    if (worker->state() != State::kRunning) continue;
    asked.push_back(worker.get());
    send(*worker, prepared_->message(id));
  }
  std::set<uint32_t> waiting;
  for (const WorkerProcess* worker : asked) waiting.insert(worker->slot());
  const auto settled = [&] {
    for (const auto& [slot, reply] : replies_[id]) waiting.erase(slot);
    std::erase_if(waiting, [this](uint32_t slot) { return !slot_is_occupied(slot); });
    return waiting.empty();
  };
  replied_.wait_for(lock, patience, settled);
  std::optional<Refusal> refusal;
  for (const auto& [slot, reply] : replies_[id]) {
    if (reply.type == MessageType::kRefused && !refusal) refusal = Refusal{slot, reply.body.value("pointer", ""), reply.body.value("text", "")};
  }
  for (const auto& worker : workers_) {   // a silent one is replaced; it does not fail the change
    if (waiting.contains(worker->slot()) && worker->state() == State::kRunning) drain(*worker, grace_);
  }
  replies_.erase(id);
  return refusal;
}

size_t WorkerPool::activate(milliseconds patience) {
  Lock lock(mutex_);
  current_ = std::exchange(prepared_, nullptr);
  const uint64_t id = next_id_++;
  std::set<uint32_t> waiting;
  for (const auto& worker : workers_) {
    if (worker->state() != State::kRunning) continue;
    waiting.insert(worker->slot());
    send(*worker, MessageType::kActivate, id, {{"revision", current_->revision}, {"epoch", current_->epoch}});
  }
  const auto settled = [&] {
    for (const auto& [slot, reply] : replies_[id]) waiting.erase(slot);
    std::erase_if(waiting, [this](uint32_t slot) { return !slot_is_occupied(slot); });
    return waiting.empty();
  };
  replied_.wait_for(lock, patience, settled);
  const size_t confirmed = replies_[id].size();
  for (const auto& worker : workers_) {
    if (waiting.contains(worker->slot()) && worker->state() == State::kRunning) drain(*worker, grace_);
  }
  replies_.erase(id);
  changed();
  return confirmed;
}

void WorkerPool::discard() {
  const Lock lock(mutex_);
  if (!prepared_) return;
  for (const auto& worker : workers_) {
    if (worker->state() == State::kRunning) send(*worker, MessageType::kDiscard, 0, nlohmann::json::object());
  }
  prepared_.reset();
  changed();
}

size_t WorkerPool::serving() {
  const Lock lock(mutex_);
  return serving_locked();
}

bool WorkerPool::none_left() {
  const Lock lock(mutex_);
  return workers_.empty();
}

bool WorkerPool::any_resting() {
  const Lock lock(mutex_);
  const Instant now = Clock::now();
  return std::any_of(slots_.begin(), slots_.end(), [now](const auto& entry) { return entry.second.back_off.resting(now); });
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
    ::waitid(static_cast<idtype_t>(3), static_cast<id_t>(worker->pidfd()), &info, WEXITED);
  }
  workers_.clear();
}

}  // namespace proxyd::master
