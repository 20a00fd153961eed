#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "shared/base/clock.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/channel.h"

namespace proxyd::master {

// One incarnation of a worker as the master knows it: its process, its channel, how far it has come. Owned by the
// pool. States: starting → preparing → running → draining → dead, never back.
class WorkerProcess {
 public:
  enum class State { kStarting, kPreparing, kRunning, kDraining, kDead };

  WorkerProcess(uint32_t slot, uint64_t incarnation, pid_t pid, UniqueFd pidfd, ipc::Channel channel, Instant now);

  void move_to(State state);
  State state() const { return state_; }
  bool alive() const { return state_ != State::kDead; }

  uint32_t slot() const { return slot_; }
  uint64_t incarnation() const { return incarnation_; }
  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.value(); }
  ipc::Channel& channel() { return channel_; }
  Instant started() const { return started_; }

  // Another takes its place; it drains when that one serves.
  bool replaced = false;
  // When SIGABRT was sent to a hung one.
  Deadline kill_at = Deadline::never();
  // When a draining one is cut, with some grace over what it was told.
  Deadline end_at = Deadline::never();

 private:
  uint32_t slot_;
  uint64_t incarnation_;
  pid_t pid_;
  UniqueFd pidfd_;
  ipc::Channel channel_;
  Instant started_;
  State state_ = State::kStarting;
};

std::string_view to_string(WorkerProcess::State state);

}   // namespace proxyd::master
