#include <algorithm>

#include "master/worker_pool.h"

// How a configuration reaches the workers: two phases, each answered by every worker or waited for no longer.
namespace proxyd::master {

using ipc::MessageType;
using State = WorkerProcess::State;

namespace {

constexpr milliseconds kAskOne{1000};
constexpr milliseconds kAskAny{3000};
constexpr milliseconds kLookAgain{100};

}   // namespace

// By incarnation, since another worker may have taken the slot of one that died meanwhile.
void WorkerPool::await(Lock& lock, uint64_t id, std::set<uint64_t>& waiting, milliseconds patience) {
  const auto is_alive = [this](uint64_t incarnation) {
    return std::any_of(workers_.begin(), workers_.end(), [incarnation](const auto& worker) {
      return worker->incarnation() == incarnation && worker->alive();
    });
  };
  const auto settled = [&] {
    for (const auto& [incarnation, reply] : replies_[id]) waiting.erase(incarnation);
    std::erase_if(waiting, [&is_alive](uint64_t incarnation) { return !is_alive(incarnation); });
    return waiting.empty();
  };
  replied_.wait_for(lock, patience, settled);
}

// A worker that does not answer drains, and another takes its place; it fails nothing.
void WorkerPool::replace_silent(const std::set<uint64_t>& incarnations) {
  for (const auto& worker : workers_) {
    if (!incarnations.contains(worker->incarnation()) || worker->state() != State::kRunning) continue;
    log_.warning("worker {} (pid {}) does not answer: it is replaced", worker->slot(), worker->pid());
    drain(*worker, grace_);
  }
}

std::optional<WorkerPool::Refusal> WorkerPool::prepare(std::shared_ptr<const ipc::Publication> publication,
                                                       milliseconds patience) {
  Lock lock(mutex_);
  prepared_ = std::move(publication);
  asked_.clear();
  const uint64_t id = next_id_++;
  replies_[id];
  std::set<uint64_t> waiting;
  for (const auto& worker : workers_) {
    if (worker->state() != State::kRunning) continue;
    waiting.insert(worker->incarnation());
    asked_.insert(worker->incarnation());
    send(*worker, prepared_->message(id));
  }
  await(lock, id, waiting, patience);
  std::optional<Refusal> refusal;
  for (const auto& [incarnation, reply] : replies_[id]) {
    if (reply.message.type != MessageType::kRefused || refusal) continue;
    refusal = Refusal{reply.slot, reply.message.body.value("pointer", ""), reply.message.body.value("text", "")};
  }
  replace_silent(waiting);
  replies_.erase(id);
  return refusal;
}

// One that began to serve after `prepare` asked has not prepared this: it gets the whole, as at its start.
size_t WorkerPool::activate(milliseconds patience) {
  Lock lock(mutex_);
  current_ = std::exchange(prepared_, nullptr);
  const uint64_t id = next_id_++;
  replies_[id];
  std::set<uint64_t> waiting;
  for (const auto& worker : workers_) {
    if (worker->state() != State::kRunning) continue;
    if (!asked_.contains(worker->incarnation())) {
      send(*worker, current_->message(0));
      continue;
    }
    waiting.insert(worker->incarnation());
    send(*worker, MessageType::kActivate, id, current_->edition.body());
  }
  await(lock, id, waiting, patience);
  const size_t confirmed = replies_[id].size();
  replace_silent(waiting);
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

void WorkerPool::forget_publication() {
  const Lock lock(mutex_);
  current_.reset();
}

std::optional<nlohmann::json> WorkerPool::ask_one(Lock& lock, WorkerProcess& worker, const nlohmann::json& question,
                                                  milliseconds patience, UniqueFd attached) {
  const uint64_t id = next_id_++;
  replies_[id];
  std::set<uint64_t> waiting = {worker.incarnation()};
  ipc::Message message;
  message.type = MessageType::kAsk;
  message.id = id;
  message.body = question;
  if (attached) message.descriptors.push_back(std::move(attached));
  send(worker, std::move(message));
  await(lock, id, waiting, patience);
  std::optional<nlohmann::json> answer;
  if (!replies_[id].empty()) answer = std::move(replies_[id].begin()->second.message.body);
  replies_.erase(id);
  return answer;
}

std::optional<nlohmann::json> WorkerPool::ask(const nlohmann::json& question, milliseconds patience,
                                              UniqueFd attached) {
  Lock lock(mutex_);
  const auto found = std::find_if(workers_.begin(), workers_.end(),
                                  [](const auto& worker) { return worker->state() == State::kRunning; });
  if (found == workers_.end()) return std::nullopt;
  return ask_one(lock, **found, question, patience, std::move(attached));
}

std::optional<nlohmann::json> WorkerPool::ask_any(const nlohmann::json& question) {
  Lock lock(mutex_);
  const Deadline end = Deadline::at(Clock::now() + kAskAny);
  std::set<uint64_t> asked;
  while (!end.passed(Clock::now())) {
    const auto next = std::find_if(workers_.begin(), workers_.end(), [&asked](const auto& worker) {
      return worker->state() == State::kRunning && !asked.contains(worker->incarnation());
    });
    if (next == workers_.end()) {
      replied_.wait_for(lock, kLookAgain);
      continue;
    }
    asked.insert((*next)->incarnation());
    if (auto answer = ask_one(lock, **next, question, kAskOne)) return answer;
  }
  return std::nullopt;
}

}   // namespace proxyd::master
