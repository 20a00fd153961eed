#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "shared/memory/robust_mutex.h"

namespace proxyd::memory {

// Which locks one process has waited for in vain of late: whoever holds one of those is stopped or throttled, and to
// wait its patience out again for each that comes would stall the whole loop. A plain value of one thread, in any
// process; nothing suspends, fails or allocates. Remembers the last eight locks for `kMemory` each, or until one is
// had.
class Patience {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds kMemory{100};

  // `lock.acquire(wait)`, but `briefly` where patience would be wasted. `in_vain`: all of it was.
  struct Answer {
    RobustMutex::Outcome outcome;
    bool in_vain;
  };
  [[nodiscard]] Answer acquire(RobustMutex& lock, RobustMutex::Wait wait);

  // What `acquire` asks and tells.
  RobustMutex::Wait worth(const RobustMutex& lock, RobustMutex::Wait wait, Instant now) const;
  void waited_in_vain(const RobustMutex& lock, Instant now);
  void had(const RobustMutex& lock);

 private:
  struct Busy {
    const RobustMutex* lock = nullptr;
    Instant until;
  };
  std::array<Busy, 8> busy_;
  size_t next_ = 0;
  bool any_ = false;   // since none is remembered no clock has to be looked at
};

}   // namespace proxyd::memory
