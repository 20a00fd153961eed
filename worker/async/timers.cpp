#include "worker/async/timers.h"

#include <algorithm>
#include <bit>

namespace proxyd::async {

TimerWheel::TimerWheel(Instant now) : start_(now) {
  for (TimerLink& slot : slots_) slot.next = slot.previous = &slot;
}

TimerWheel::~TimerWheel() {
  for (TimerLink& slot : slots_) {
    while (slot.next != &slot) static_cast<Timer*>(slot.next)->disarm();
  }
}

void TimerWheel::arm(Timer& timer, Deadline deadline) {
  timer.disarm();
  if (deadline.is_never()) return;
  timer.due_ = deadline.when();
  const uint64_t number = timer.due_ <= start_ ? visited_ : std::max(slot_number(timer.due_) + 1, visited_);
  const size_t index = number % kSlots;
  TimerLink& slot = slots_[index];
  timer.next = &slot;
  timer.previous = slot.previous;
  slot.previous->next = &timer;
  slot.previous = &timer;
  filled_[index / 64] |= uint64_t{1} << (index % 64);
}

void TimerWheel::expire_slot(size_t index, Instant now, ReadyQueue& ready) {
  TimerLink& slot = slots_[index];
  for (TimerLink* link = slot.next; link != &slot;) {
    auto* timer = static_cast<Timer*>(link);
    link = link->next;
    if (timer->due_ > now) continue;   // a later turn of the wheel
    timer->disarm();
    ready.push(*timer->wakeup_);
  }
  if (slot.next == &slot) filled_[index / 64] &= ~(uint64_t{1} << (index % 64));
}

void TimerWheel::expire(Instant now, ReadyQueue& ready) {
  if (now < start_) return;
  const uint64_t reached = slot_number(now);
  const uint64_t end = std::min(reached + 1, visited_ + kSlots);
  for (uint64_t number = visited_; number < end; ++number) {
    const size_t index = number % kSlots;
    if ((filled_[index / 64] >> (index % 64) & 1) != 0) expire_slot(index, now, ready);
  }
  visited_ = std::max(visited_, reached);
}

Deadline TimerWheel::next() const {
  // From the current slot on, word by word around the wheel.
  for (size_t step = 0; step <= filled_.size(); ++step) {
    const size_t first = visited_ % kSlots;
    const size_t word = (first / 64 + step) % filled_.size();
    uint64_t bits = filled_[word];
    if (step == 0) bits &= ~uint64_t{0} << (first % 64);
    if (bits == 0) continue;
    const size_t index = word * 64 + static_cast<size_t>(std::countr_zero(bits));
    const uint64_t distance = (index + kSlots - first) % kSlots;
    return Deadline::at(start_ + kSlot * static_cast<int64_t>(visited_ + distance));
  }
  return Deadline::never();
}

}   // namespace proxyd::async
