#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <mutex>

#include "shared/base/clock.h"

namespace proxyd::master {

// The memory that processes have for themselves (Private_Clean + Private_Dirty), read from the kernel at most once a
// second for each, since that takes it some time. Owned by the pool; any thread. 0 for a process that is gone.
class PrivateMemory {
 public:
  uint64_t of(pid_t pid);

 private:
  struct Reading {
    Instant time;
    uint64_t octets = 0;
  };
  std::mutex mutex_;
  std::map<pid_t, Reading> readings_;   // of the last second
};

}   // namespace proxyd::master
