#include "worker/async/timers.h"

#include <algorithm>
#include <bit>

namespace proxyd::async {

template <size_t size>
void TimerWheel::Ring<size>::add(size_t place, Timer& timer) {
  TimerLink& list = lists_[place];
  timer.next = &list;
  timer.previous = list.previous;
  list.previous->next = &timer;
  list.previous = &timer;
  filled_[place / 64] |= uint64_t{1} << (place % 64);
}

template <size_t size>
template <class Each>
void TimerWheel::Ring<size>::take(size_t place, Each each) {
  filled_[place / 64] &= ~(uint64_t{1} << (place % 64));
  TimerLink& list = lists_[place];
  if (list.next == &list) return;
  TimerLink taken{list.next, list.previous};   // apart, for one that is put back must not be met again
  taken.next->previous = taken.previous->next = &taken;
  list.next = list.previous = &list;
  while (taken.next != &taken) {
    auto* timer = static_cast<Timer*>(taken.next);
    timer->disarm();
    each(*timer);
  }
}

template <size_t size>
std::optional<size_t> TimerWheel::Ring<size>::next_filled(size_t from) const {
  for (size_t word = from / 64; word < filled_.size(); ++word) {
    const uint64_t bits = word == from / 64 ? filled_[word] & (~uint64_t{0} << (from % 64)) : filled_[word];
    if (bits != 0) return word * 64 + static_cast<size_t>(std::countr_zero(bits));
  }
  return std::nullopt;
}

uint64_t TimerWheel::slot_of(const Timer& timer) const {
  const uint64_t due = timer.due_ <= start_ ? 0 : static_cast<uint64_t>((timer.due_ - start_) / kSlot);
  return std::max(due, passed_) + 1;
}

void TimerWheel::place(Timer& timer) {
  const uint64_t slot = slot_of(timer);
  if (slot / kSlots == passed_ / kSlots) return slots_.add(slot % kSlots, timer);
  blocks_.add(slot / kSlots % kBlocks, timer);
}

void TimerWheel::arm(Timer& timer, Deadline deadline) {
  timer.disarm();
  if (deadline.is_never()) return;
  timer.due_ = deadline.when();
  place(timer);
}

// The slots behind `passed_` up to `last`, which lies in the same block.
void TimerWheel::expire_slots(uint64_t last, ReadyQueue& ready) {
  const size_t end = last % kSlots;
  auto slot = slots_.next_filled(passed_ % kSlots);
  while (slot && *slot <= end) {
    slots_.take(*slot, [&ready](Timer& timer) { ready.push(*timer.wakeup_); });
    slot = slots_.next_filled(*slot + 1);
  }
  passed_ = last;
}

void TimerWheel::expire(Instant now, ReadyQueue& ready) {
  if (now < start_) return;
  const auto reached = static_cast<uint64_t>((now - start_) / kSlot);
  while (passed_ < reached) {
    const uint64_t block = passed_ / kSlots;
    expire_slots(std::min(reached, block * kSlots + kSlots - 1), ready);
    if (passed_ == reached) return;
    // Timers of the block that begins now fire in its first slot at the earliest: that slot has not been passed yet.
    blocks_.take((block + 1) % kBlocks, [this, block](Timer& timer) {
      const uint64_t slot = slot_of(timer);
      if (slot / kSlots == block + 1) return slots_.add(slot % kSlots, timer);
      blocks_.add(slot / kSlots % kBlocks, timer);
    });
    passed_ = (block + 1) * kSlots;
    slots_.take(0, [&ready](Timer& timer) { ready.push(*timer.wakeup_); });
  }
}

Deadline TimerWheel::next() const {
  if (const auto slot = slots_.next_filled(passed_ % kSlots)) return beginning_of(passed_ / kSlots * kSlots + *slot);
  const uint64_t block = passed_ / kSlots;
  auto place = blocks_.next_filled((block + 1) % kBlocks);
  if (!place) place = blocks_.next_filled(0);
  if (!place) return Deadline::never();
  const uint64_t ahead = (*place + kBlocks - (block + 1) % kBlocks) % kBlocks;
  return beginning_of((block + 1 + ahead) * kSlots);
}

}   // namespace proxyd::async
