#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/ipc/message.h"

namespace proxyd::ipc {

// Which configuration a message is about: a revision, and what was new behind it.
struct Edition {
  uint64_t revision = 0;
  uint64_t epoch = 0;

  bool operator==(const Edition&) const = default;
  nlohmann::json body() const { return {{"revision", revision}, {"epoch", epoch}}; }
  static Edition of(const nlohmann::json& body);
};

// What a worker gets to serve by: a sealed snapshot, the listening sockets, the log files. Made by the master, sent to
// every worker as a kPrepare message, read back there. The descriptors are duplicates of its own, so it stays valid
// whatever becomes of listeners and logs. A move-only value.
struct Publication {
  Edition edition;
  UniqueFd snapshot;
  struct Socket {
    std::string listener;
    std::string address;
    UniqueFd descriptor;
  };
  std::vector<Socket> sockets;
  std::vector<UniqueFd> access_logs;
  UniqueFd error_log;

  // For one worker, with duplicates of the descriptors.
  Message message(uint64_t id) const;
  // Fails when the descriptors are not those that the body names.
  static Result<Publication> of(Message message);
};

UniqueFd duplicate(int descriptor);

}   // namespace proxyd::ipc
