#pragma once

#include "worker/async/wakeup.h"

namespace proxyd::async {

// A condition that stands until it is cleared, and at most one who waits for it: octets are here, a peer has hung up, a
// request was cut. Lies in the object whose condition it is and dies with it; it does not own who waits, and who waits
// leaves before going. One thread. Raising it runs nobody: who waits is queued, even when it was raised before, for an
// event may say more than the condition does.
class Signal {
 public:
  bool is_set() const { return set_; }
  void raise(ReadyQueue& ready) {
    set_ = true;
    if (waiter_) ready.push(*waiter_);
  }
  // What is known of the condition, without news for who waits.
  void set(bool condition) { set_ = condition; }
  void notify(Wakeup* waiter) { waiter_ = waiter; }   // null: nobody waits any more

 private:
  Wakeup* waiter_ = nullptr;
  bool set_ = false;
};

}   // namespace proxyd::async
