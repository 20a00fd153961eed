#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"

namespace proxyd::master {

// The one door through which the master starts a process. Opened once at start, so a package upgrade on disk never
// mixes versions: the descriptor is what is executed. Between fork and exec only async-signal-safe calls are made,
// since the master has threads, and everything they need is prepared before. Owned by the master; any thread.
class Spawn {
 public:
  // `binary` is opened now; fails naming it.
  static Result<Spawn> open(const std::string& binary);

  struct Child {
    pid_t pid = -1;
    UniqueFd pidfd;
  };
  // Starts it with `argument`; `inherited` maps descriptors of ours to the numbers that the child sees. It inherits
  // nothing else but stdin, stdout and stderr, and writes no core: where one is asked for, `prlimit --core` on the
  // running process gives it leave.
  Result<Child> start(const std::string& argument, const std::vector<std::pair<int, int>>& inherited) const;

 private:
  explicit Spawn(UniqueFd binary) : binary_(std::move(binary)) {}
  UniqueFd binary_;
};

}   // namespace proxyd::master
