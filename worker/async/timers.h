#pragma once

#include <array>
#include <cstdint>

#include "shared/base/clock.h"
#include "worker/async/wakeup.h"

namespace proxyd::async {

// A place in a slot's circular list.
struct TimerLink {
  TimerLink* next = nullptr;
  TimerLink* previous = nullptr;
};

// A point in time at which something is to be woken. An intrusive node in the awaiter or object that waits; disarms
// itself when destroyed. Arming and disarming are a few stores.
class Timer : private TimerLink {
 public:
  explicit Timer(Wakeup& wakeup) : wakeup_(&wakeup) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { disarm(); }

  bool armed() const { return next != nullptr; }
  void disarm() {
    if (!next) return;
    next->previous = previous;
    previous->next = next;
    next = previous = nullptr;
  }

 private:
  friend class TimerWheel;
  Wakeup* wakeup_;
  Instant due_{};
};

// All timers of a worker: a hashed wheel of 4,096 slots of 1 ms. A timer further away than one turn stays in its slot
// for several. Timers fire up to one slot late, never early. Owned by the event loop.
class TimerWheel {
 public:
  static constexpr auto kSlot = milliseconds(1);
  static constexpr size_t kSlots = 4096;

  explicit TimerWheel(Instant now);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Wakes `timer` at the deadline; one that is `never` is not armed. An armed timer is moved.
  void arm(Timer& timer, Deadline deadline);
  // Queues the wakeups of all timers that are due.
  void expire(Instant now, ReadyQueue& ready);
  // When `expire` has to be called next, at the latest; `never` without timers. It may name a slot whose timers have
  // been disarmed meanwhile.
  Deadline next() const;

 private:
  uint64_t slot_number(Instant when) const { return static_cast<uint64_t>((when - start_) / kSlot); }
  void expire_slot(size_t slot, Instant now, ReadyQueue& ready);

  Instant start_;
  uint64_t visited_ = 0;                         // number of the first slot that has not been passed
  std::array<TimerLink, kSlots> slots_;          // sentinels of circular lists
  std::array<uint64_t, kSlots / 64> filled_{};   // a bit for each slot that may hold a timer
};

}   // namespace proxyd::async
