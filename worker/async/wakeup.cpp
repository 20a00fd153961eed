#include "worker/async/wakeup.h"

namespace proxyd::async {

// Per thread, not per program: a coroutine that ends has no way to carry a reference to its loop that costs nothing.
ReadyQueue& ReadyQueue::of_this_thread() {
  thread_local ReadyQueue queue;
  return queue;
}

void ReadyQueue::take_all(ReadyQueue& other) {
  while (!other.empty()) {
    Wakeup& first = *other.head_.next_;
    first.unlink();
    push(first);
  }
}

void ReadyQueue::run(size_t limit) {
  for (; limit > 0 && !empty(); --limit) {
    Wakeup& first = *head_.next_;
    first.unlink();
    first.run_(first);
  }
}

}   // namespace proxyd::async
