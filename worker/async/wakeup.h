#pragma once

#include <cstddef>

namespace proxyd::async {

class ReadyQueue;

// Something that is to run on the loop: a suspended coroutine, an idle connection, a timer that fired. An intrusive
// node: it lies in the awaiter or object that it wakes and unlinks itself when that is destroyed, so nothing dead runs.
// One thread; never suspends; queueing costs no allocation.
class Wakeup {
 public:
  using Run = void (*)(Wakeup&);

  explicit Wakeup(Run run) : run_(run) {}
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup() { unlink(); }

  bool queued() const { return next_ != nullptr; }
  void unlink() {
    if (!next_) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class ReadyQueue;
  Run run_;
  Wakeup* next_ = nullptr;
  Wakeup* previous_ = nullptr;
};

// What is to run next on this thread, first come, first served. Tasks that end put the one who awaits them here, so
// no coroutine resumes another inside its own frame. There is one a thread, and the loop of that thread runs it.
class ReadyQueue {
 public:
  ReadyQueue() { head_.next_ = head_.previous_ = &head_; }
  ~ReadyQueue() { head_.next_ = head_.previous_ = nullptr; }

  static ReadyQueue& of_this_thread();

  void push(Wakeup& wakeup) {
    if (wakeup.queued()) return;
    wakeup.previous_ = head_.previous_;
    wakeup.next_ = &head_;
    head_.previous_->next_ = &wakeup;
    head_.previous_ = &wakeup;
  }
  bool empty() const { return head_.next_ == &head_; }
  // All of `other` behind what is here.
  void take_all(ReadyQueue& other);
  // Runs at most `limit` of them, with those that they queue; what is left waits for the next pass.
  void run(size_t limit);

 private:
  static void never(Wakeup&) {}
  Wakeup head_{never};
};

}   // namespace proxyd::async
