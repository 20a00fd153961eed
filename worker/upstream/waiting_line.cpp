#include "worker/upstream/waiting_line.h"

namespace proxyd::upstream {

// The gauge is this worker's own word: a plain store is enough.
void WaitingLine::join(Place& place) {
  place.previous_ = last_;
  (last_ ? last_->next_ : first_) = &place;
  last_ = &place;
  std::atomic<uint32_t>& gauge = status_.waiting(slot_, row_);
  gauge.store(gauge.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (!timer_.armed()) loop_.timers().arm(timer_, Deadline::at(loop_.now() + kLook));
}

void WaitingLine::leave(Place& place) {
  (place.previous_ ? place.previous_->next_ : first_) = place.next_;
  (place.next_ ? place.next_->previous_ : last_) = place.previous_;
  std::atomic<uint32_t>& gauge = status_.waiting(slot_, row_);
  gauge.store(gauge.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
  call_first();
}

// Other workers make room as well.
void WaitingLine::look_again() {
  if (empty()) return;
  call_first();
  loop_.timers().arm(timer_, Deadline::at(loop_.now() + kLook));
}

}   // namespace proxyd::upstream
