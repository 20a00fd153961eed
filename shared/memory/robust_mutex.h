#pragma once

#include <pthread.h>

#include <chrono>

namespace proxyd::memory {

// A mutex in a region, between processes, that outlives its holder: whoever takes it after the holder was killed is
// told so, repairs what it guards, says `repaired`, and goes on; a repairer that dies in turn hands the same duty to
// the next. It lives in zeroed shared memory and is made once, by the region's creator. It never waits longer than
// `kPatience`: a holder that was stopped or preempted costs the caller that, not its event loop. Whoever holds another
// lock already, or has other work to do, waits less. Never held across a system call, an allocation, a log line or a
// suspension.
class RobustMutex {
 public:
  static constexpr std::chrono::milliseconds kPatience{20};

  enum class Outcome { held, owner_died, busy };
  // `briefly`: some microseconds, within which whoever holds it and runs is done.
  enum class Wait { none, briefly, patiently };

  void create();
  // `owner_died`: held, but what it guards may be half changed. `busy`: not held.
  [[nodiscard]] Outcome acquire(Wait wait = Wait::patiently);
  [[nodiscard]] Outcome try_acquire();
  void repaired();
  void release();

 private:
  pthread_mutex_t mutex_;
};

}   // namespace proxyd::memory
