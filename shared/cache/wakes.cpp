#include "shared/cache/wakes.h"

#include <bit>
#include <utility>

#include "shared/cache/step.h"

namespace proxyd::cache {

void Wakes::wake(Object& object, ObjectIndex index) {
  if (object.waiters.load() == 0) return;
  uint64_t waiters = object.waiters.exchange(0);
  step("wake: waiters taken");
  for (; waiters != 0; waiters &= waiters - 1) {
    for (auto slot = static_cast<uint32_t>(std::countr_zero(waiters)); slot < kWorkerSlots; slot += 64) {
      if (member_.view.slot(slot).incarnation.load(std::memory_order_relaxed) != 0) mail(slot, index % kWaitNumbers);
    }
  }
}

void Wakes::mail(uint32_t slot, uint32_t number) {
  WorkerSlot& receiver = member_.view.slot(slot);
  receiver.mailbox[number / 64].fetch_or(uint64_t{1} << (number % 64));
  step("wake: mail is there");
  if (receiver.sleeping.load() != 0 && receiver.sleeping.exchange(0) != 0) sleepers_.set(slot);
}

bool Wakes::going_to_sleep() {
  WorkerSlot& mine = member_.slot();
  mine.sleeping.store(1);
  for (const auto& word : mine.mailbox) {
    if (word.load() != 0) return true;
  }
  return false;
}

void Wakes::awake() { member_.slot().sleeping.store(0); }

WaitNumbers Wakes::take_mail() {
  WaitNumbers numbers;
  for (uint32_t i = 0; i < member_.slot().mailbox.size(); ++i) {
    auto& word = member_.slot().mailbox[i];
    if (word.load(std::memory_order_relaxed) == 0) continue;
    for (uint64_t bits = word.exchange(0); bits != 0; bits &= bits - 1) {
      numbers.set(i * 64 + static_cast<uint32_t>(std::countr_zero(bits)));
    }
  }
  return numbers;
}

std::bitset<kSlots> Wakes::take_sleepers() { return std::exchange(sleepers_, {}); }

}   // namespace proxyd::cache
