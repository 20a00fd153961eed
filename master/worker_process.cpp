#include "master/worker_process.h"

#include <cassert>

namespace proxyd::master {

WorkerProcess::WorkerProcess(uint32_t slot, uint64_t incarnation, pid_t pid, UniqueFd pidfd, ipc::Channel channel,
                             Instant now)
    : slot_(slot),
      incarnation_(incarnation),
      pid_(pid),
      pidfd_(std::move(pidfd)),
      channel_(std::move(channel)),
      started_(now) {}

void WorkerProcess::move_to(State state) {
  assert(state > state_ || (state == State::kDraining && state_ == State::kDraining));
  state_ = state;
}

std::string_view to_string(WorkerProcess::State state) {
  switch (state) {
    case WorkerProcess::State::kStarting:
    case WorkerProcess::State::kPreparing: return "starting";
    case WorkerProcess::State::kRunning: return "running";
    case WorkerProcess::State::kDraining: return "draining";
    case WorkerProcess::State::kDead: return "dead";
  }
  return "dead";
}

}   // namespace proxyd::master
