#include "shared/cache/pins.h"

#include <cassert>

#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr uint32_t kFewPins = 64;   // as cheap to look at as none

}   // namespace

Pins::Pins(const Member& member)
    : member_(member),
      owned_(std::make_unique<std::array<Entry, kPins>>()),
      entries_(owned_->data()),
      homes_(std::make_unique<std::array<uint32_t, kPins>>()) {
  homes_->fill(kNone);
}

uint32_t Pins::pin(ObjectIndex index) {
  uint32_t entry = first_free_;
  if (entry != kNone) {
    first_free_ = entries_[entry].next;
  } else if (used_ < kPins) {
    entry = used_++;
    member_.view.pins_used(member_.holder.slot).store(used_);
  } else {
    return kNone;
  }
  ++in_use_;
  uint32_t& first = (*homes_)[home(index)];
  entries_[entry] = Entry{index, 0, 1, 0, first};
  first = entry;
  // An exchange, seq_cst: the look at the object that follows must not move before it.
  member_.slot().pins[entry].exchange(Pin{index, 0}.word());
  step("pin: set");
  return entry;
}

uint32_t Pins::again(ObjectIndex index, BlockRef head) {
  for (uint32_t entry = (*homes_)[home(index)]; entry != kNone; entry = entries_[entry].next) {
    Entry& one = entries_[entry];
    if (one.index != index || one.head != head) continue;
    ++one.readers;
    step("pin: shared");
    return entry;
  }
  return kNone;
}

void Pins::narrow(uint32_t entry, BlockRef head) {
  assert(entries_[entry].head == 0);
  entries_[entry].head = head;
  member_.slot().pins[entry].store(Pin{entries_[entry].index, head}.word(), std::memory_order_release);
}

void Pins::forget_head(uint32_t entry) {
  if (entries_[entry].without_head != entries_[entry].readers) return;
  entries_[entry].head = Pin::kNoHead;
  member_.slot().pins[entry].store(Pin{entries_[entry].index, Pin::kNoHead}.word(), std::memory_order_release);
}

void Pins::let_head_go(uint32_t entry) {
  assert(entries_[entry].head != 0);
  ++entries_[entry].without_head;
  forget_head(entry);
}

void Pins::unpin(uint32_t entry) {
  if (--entries_[entry].readers != 0) return forget_head(entry);
  member_.slot().pins[entry].store(0, std::memory_order_release);
  step("pin: cleared");
  uint32_t* place = &(*homes_)[home(entries_[entry].index)];
  while (*place != entry) place = &entries_[*place].next;
  *place = entries_[entry].next;
  entries_[entry].next = first_free_;
  first_free_ = entry;
  if (--in_use_ == 0 && used_ > kFewPins) begin_anew();
}

// Whoever frees something looks at as many places as were ever used: after a burst at few again. None is set now, and
// the next is set behind the number that covers it, as at the first time.
void Pins::begin_anew() {
  used_ = 0;
  first_free_ = kNone;
  member_.view.pins_used(member_.holder.slot).store(0);
}

uint32_t Pins::readers(ObjectIndex index) const {
  uint32_t count = 0;
  for (uint32_t entry = (*homes_)[home(index)]; entry != kNone; entry = entries_[entry].next) {
    if (entries_[entry].index == index) count += entries_[entry].readers;
  }
  return count;
}

}   // namespace proxyd::cache
