#pragma once

#include "worker/async/event_loop.h"

namespace proxyd::async {

// Work that is dear, so much of it in a pass of the loop: whoever comes later waits for a later pass, first come, first
// served, and all else that is ready runs in between. Owned by the worker, longer than who waits; one thread.
class Turns : private Wakeup {
 public:
  Turns(EventLoop& loop, size_t per_pass)
      : Wakeup([](Wakeup& self) { static_cast<Turns&>(self).next_pass(); }), loop_(loop), per_pass_(per_pass) {}

  // Suspends until it is one's turn.
  class Turn {
   public:
    explicit Turn(Turns& turns) : turns_(turns) {}
    bool await_ready() const { return turns_.waiting_.empty() && turns_.taken_ < turns_.per_pass_; }
    void await_suspend(std::coroutine_handle<> awaiting) {
      resume_.handle = awaiting;
      turns_.waiting_.push(resume_);
    }
    void await_resume() { turns_.take(); }

   private:
    Turns& turns_;
    Resume resume_;
  };
  Turn next() { return Turn(*this); }

 private:
  void take() {
    ++taken_;
    loop_.next_pass().push(*this);
  }
  void next_pass() {
    taken_ = 0;
    waiting_.run(per_pass_);
  }

  EventLoop& loop_;
  ReadyQueue waiting_;
  const size_t per_pass_;
  size_t taken_ = 0;
};

}   // namespace proxyd::async
