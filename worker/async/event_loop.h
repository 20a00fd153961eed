#pragma once

#include <sys/epoll.h>

#include <array>
#include <coroutine>
#include <cstdint>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/unique_fd.h"
#include "worker/async/signal.h"
#include "worker/async/task.h"
#include "worker/async/timers.h"
#include "worker/async/wakeup.h"

namespace proxyd::async {

class EventLoop;

// What epoll has told about one descriptor, and who waits for it. Edge-triggered: a flag stays set until the owner has
// met EAGAIN or a short read and clears it. Lies in the object that owns the descriptor and dies with it; closing the
// descriptor takes it out of epoll, and since events only raise signals, none of them meets a dead one.
class Watched {
 public:
  Watched() = default;
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  // Adds the descriptor to the loop, once for its life. False (with errno) when the kernel refuses.
  bool start(EventLoop& loop, int descriptor);

  bool readable() const { return readable_.is_set(); }
  bool writable() const { return writable_.is_set(); }
  // The peer has shut down its side (data may be left), or the connection is broken.
  bool peer_closed() const { return peer_closed_; }
  bool broken() const { return broken_; }
  // A short read: drained, but after the peer closed reading goes on to the end of the stream.
  void drained() { readable_.set(peer_closed_ || broken_); }
  // EAGAIN: the next octet, or the end, makes a new edge.
  void exhausted() { readable_.set(broken_); }
  void filled() { writable_.set(broken_); }
  // Octets were read that nobody has taken yet: there is more, whatever the socket has.
  void left_behind() { readable_.set(true); }

  Signal& when_readable() { return readable_; }
  Signal& when_writable() { return writable_; }
  // The peer has closed its side, or the connection broke.
  Signal& when_hung_up() { return hung_up_; }

  EventLoop& loop() const { return *loop_; }
  int descriptor() const { return descriptor_; }

 private:
  friend class EventLoop;
  void report(uint32_t events);

  EventLoop* loop_ = nullptr;
  Signal readable_;
  Signal writable_;
  Signal hung_up_;
  int descriptor_ = -1;
  bool peer_closed_ = false;
  bool broken_ = false;
};

// Something that is done beside every pass, as looking after memory that processes share. Owned by whoever gives it to
// the loop, which it outlives.
class BesideEachPass {
 public:
  virtual ~BesideEachPass() = default;
  // Before the kernel is asked; `idle`: nothing else is to be done, the loop would sleep. False: it may not, look
  // again.
  virtual bool before(Instant now, bool idle) = 0;
  // After it was asked, before anything runs.
  virtual void after() = 0;
};

// The worker's loop: epoll, a timer wheel and the ready queue of its thread. One pass: run what is ready, see the
// clock once, queue what is due, ask the kernel. Owned by main; one thread.
class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Turns until `stop`; may be called again.
  void run();
  void stop() { stopping_ = true; }

  // The time of this pass; no clock call.
  Instant now() const { return now_; }
  TimerWheel& timers() { return timers_; }
  ReadyQueue& ready() { return ready_; }
  // What is to run in the next pass and not in this one.
  ReadyQueue& next_pass() { return next_pass_; }
  int descriptor() const { return epoll_.value(); }
  void set_beside(BesideEachPass* beside) { beside_ = beside; }
  // The longest pass since the last call, without the wait.
  std::chrono::microseconds take_longest_pass();

  // Listeners and the like, which are level-triggered: `handler` is queued at every event until `unwatch`.
  bool watch_level(int descriptor, Wakeup& handler, bool exclusive);
  void unwatch_level(int descriptor);

 private:
  friend class Watched;
  void pass();
  void collect(int count);
  void set_alarm(Deadline when);

  UniqueFd epoll_;
  UniqueFd alarm_;   // the kernel's timer, which ends the wait
  Deadline alarm_at_ = Deadline::never();
  BesideEachPass* beside_ = nullptr;
  ReadyQueue& ready_;
  ReadyQueue next_pass_;
  Instant now_;
  TimerWheel timers_;
  std::array<epoll_event, 256> events_{};
  std::chrono::microseconds longest_pass_{0};
  bool stopping_ = false;
};

// Suspends until a signal is raised or the deadline has passed: true when the signal is set.
class WaitReady {
 public:
  WaitReady(EventLoop& loop, Signal& signal, Deadline deadline)
      : loop_(loop), signal_(signal), deadline_(deadline), timer_(resume_) {}
  WaitReady(const WaitReady&) = delete;
  WaitReady& operator=(const WaitReady&) = delete;
  ~WaitReady() { leave(); }

  // … or until another is raised, which does not make the answer true: who asks for it looks at it.
  void or_when(Signal& other) { other_ = &other; }

  bool await_ready() const { return signal_.is_set() || (other_ && other_->is_set()); }
  void await_suspend(std::coroutine_handle<> awaiting);
  bool await_resume();

 private:
  void leave();

  EventLoop& loop_;
  Signal& signal_;
  Signal* other_ = nullptr;
  bool waits_ = false;
  Deadline deadline_;
  Resume resume_;
  Timer timer_;
};

// Suspends until the deadline.
class Sleep {
 public:
  Sleep(EventLoop& loop, Deadline deadline) : loop_(loop), deadline_(deadline), timer_(resume_) {}
  bool await_ready() const { return deadline_.passed(loop_.now()); }
  void await_suspend(std::coroutine_handle<> awaiting) {
    resume_.handle = awaiting;
    loop_.timers().arm(timer_, deadline_);
  }
  void await_resume() {}

 private:
  EventLoop& loop_;
  Deadline deadline_;
  Resume resume_;
  Timer timer_;
};

}   // namespace proxyd::async
