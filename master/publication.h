#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "master/listeners.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/message.h"

namespace proxyd::master {

// What a worker gets to serve by: a sealed snapshot, the listening sockets, the log files. The descriptors are
// duplicates of its own, so it stays valid whatever becomes of listeners and logs. A move-only value.
struct Publication {
  uint64_t revision = 0;
  uint64_t epoch = 0;
  UniqueFd snapshot;
  struct Socket {
    std::string listener;
    std::string address;
    UniqueFd descriptor;
  };
  std::vector<Socket> sockets;
  std::vector<UniqueFd> access_logs;
  UniqueFd error_log;

  // The kPrepare message for one worker.
  ipc::Message message(uint64_t id) const;
};

UniqueFd duplicate(int descriptor);

}   // namespace proxyd::master
