#include "shared/memory/patience.h"

#include <algorithm>

namespace proxyd::memory {

using Wait = RobustMutex::Wait;
using Outcome = RobustMutex::Outcome;

Wait Patience::worth(const RobustMutex& lock, Wait wait, Instant now) const {
  if (wait != Wait::patiently) return wait;
  const bool busy =
      std::any_of(busy_.begin(), busy_.end(), [&](const Busy& one) { return one.lock == &lock && now < one.until; });
  return busy ? Wait::briefly : wait;
}

void Patience::waited_in_vain(const RobustMutex& lock, Instant now) {
  had(lock);
  busy_[next_] = Busy{&lock, now + kMemory};
  next_ = (next_ + 1) % busy_.size();
  any_ = true;
}

void Patience::had(const RobustMutex& lock) {
  any_ = false;
  for (Busy& one : busy_) {
    if (one.lock == &lock) one.lock = nullptr;
    any_ = any_ || one.lock != nullptr;
  }
}

Patience::Answer Patience::acquire(RobustMutex& lock, Wait wait) {
  const Wait worth = any_ ? this->worth(lock, wait, std::chrono::steady_clock::now()) : wait;
  const Outcome outcome = lock.acquire(worth);
  const bool in_vain = outcome == Outcome::busy && worth == Wait::patiently;
  if (in_vain) waited_in_vain(lock, std::chrono::steady_clock::now());
  if (any_ && outcome != Outcome::busy) had(lock);
  return {outcome, in_vain};
}

}   // namespace proxyd::memory
