#include "shared/memory/robust_mutex.h"

#include <sched.h>

#include <cassert>
#include <cerrno>
#include <ctime>

namespace proxyd::memory {
namespace {

constexpr int kSpins = 200;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}   // namespace

void RobustMutex::create() {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

RobustMutex::Outcome RobustMutex::try_acquire() {
  switch (::pthread_mutex_trylock(&mutex_)) {
    case 0: return Outcome::held;
    case EOWNERDEAD: return Outcome::owner_died;
    default: return Outcome::busy;
  }
}

// Tries in place of a blocking call: the holder needs well below a microsecond, so spinning nearly always ends it; a
// holder that lost its processor gets ours by a yield, and one that was stopped costs the patience.
RobustMutex::Outcome RobustMutex::acquire(Wait wait) {
  if (wait == Wait::none) return try_acquire();
  for (int i = 0; i < kSpins; ++i) {
    const Outcome outcome = try_acquire();
    if (outcome != Outcome::busy) return outcome;
    pause();
  }
  if (wait == Wait::briefly) return Outcome::busy;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  do {
    ::sched_yield();
    const Outcome outcome = try_acquire();
    if (outcome != Outcome::busy) return outcome;
  } while (std::chrono::steady_clock::now() < until);
  return Outcome::busy;
}

void RobustMutex::repaired() { ::pthread_mutex_consistent(&mutex_); }

void RobustMutex::release() {
  [[maybe_unused]] const int failed = ::pthread_mutex_unlock(&mutex_);
  assert(failed == 0);
}

}   // namespace proxyd::memory
