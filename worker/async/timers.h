#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "shared/base/clock.h"
#include "worker/async/wakeup.h"

namespace proxyd::async {

// A place in a circular list.
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

// All timers of a worker, in two wheels: one of 4,096 slots of 1 ms for the block of time that has begun, one of 256
// slots for the blocks that come, of which each is spread over the first when it begins. So a timer far away wakes
// nobody before its block, however many there are. One beyond 17 minutes stays in its slot for several turns. Timers
// fire up to one slot late, never early. Owned by the event loop.
class TimerWheel {
 public:
  static constexpr auto kSlot = milliseconds(1);
  static constexpr size_t kSlots = 4096;   // of a block
  static constexpr size_t kBlocks = 256;

  explicit TimerWheel(Instant now) : start_(now) {}
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Wakes `timer` at the deadline; one that is `never` is not armed. An armed timer is moved.
  void arm(Timer& timer, Deadline deadline);
  // Queues the wakeups of all timers that are due.
  void expire(Instant now, ReadyQueue& ready);
  // When `expire` has to be called next, at the latest; `never` without timers. It may name a slot whose timers have
  // been disarmed meanwhile, or the beginning of a block.
  Deadline next() const;

 private:
  // Lists in a ring, with a bit for each that may hold a timer.
  template <size_t size>
  class Ring {
   public:
    Ring() {
      for (TimerLink& list : lists_) list.next = list.previous = &list;
    }
    ~Ring() {
      for (TimerLink& list : lists_) {
        while (list.next != &list) static_cast<Timer*>(list.next)->disarm();
      }
    }
    void add(size_t place, Timer& timer);
    // Takes out all timers of a list and gives them to `each`, which may put them back.
    template <class Each>
    void take(size_t place, Each each);
    // The first place that may hold a timer, from `from` up to the end.
    std::optional<size_t> next_filled(size_t from) const;

   private:
    std::array<TimerLink, size> lists_;
    std::array<uint64_t, size / 64> filled_{};
  };

  // The slot at which a timer fires, counted from the start.
  uint64_t slot_of(const Timer& timer) const;
  void place(Timer& timer);
  void expire_slots(uint64_t last, ReadyQueue& ready);
  Deadline beginning_of(uint64_t slot) const { return Deadline::at(start_ + kSlot * static_cast<int64_t>(slot)); }

  Instant start_;
  uint64_t passed_ = 0;   // number of the last slot whose time has come
  Ring<kSlots> slots_;    // of the block that `passed_` is in
  Ring<kBlocks> blocks_;
};

}   // namespace proxyd::async
