#include "worker/async/event_loop.h"

#include <sys/timerfd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <system_error>

namespace proxyd::async {
namespace {

constexpr size_t kWakeupsPerPass = 1024;   // then the kernel is asked again, so that no chain of wakeups starves others

// Level-triggered descriptors carry their Wakeup; the low bit of the pointer tells the two kinds apart.
constexpr uintptr_t kLevelTag = 1;
constexpr uintptr_t kAlarm = kLevelTag;   // no handler

static_assert(std::is_same_v<Clock, std::chrono::steady_clock>);   // which is CLOCK_MONOTONIC

}   // namespace

bool Watched::start(EventLoop& loop, int descriptor) {
  loop_ = &loop;
  descriptor_ = descriptor;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = this}};
  if (::epoll_ctl(loop.descriptor(), EPOLL_CTL_ADD, descriptor, &event) == 0) return true;
  descriptor_ = -1;
  return false;
}

void Watched::report(uint32_t events) {
  ReadyQueue& ready = loop_->ready();
  if ((events & EPOLLRDHUP) != 0) peer_closed_ = true;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) broken_ = true;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) readable_.raise(ready);
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) writable_.raise(ready);
  if (broken_ || peer_closed_) hung_up_.raise(ready);
}

EventLoop::EventLoop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      alarm_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      ready_(ReadyQueue::of_this_thread()),
      now_(Clock::now()),
      timers_(now_) {
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = kAlarm}};
  const bool made = epoll_ && alarm_ && ::epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, alarm_.value(), &event) == 0;
  if (!made) throw std::system_error(errno, std::generic_category(), "the worker's event loop can't be made");
}

// A wait with a timeout sets and drops a timer of the kernel's each time. This one is set only when the next deadline
// is nearer than what it is set to; when it rings for nobody, it is set anew.
void EventLoop::set_alarm(Deadline when) {
  if (when.is_never() || alarm_at_.when() <= when.when()) return;
  alarm_at_ = when;
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(when.when().time_since_epoch()).count();
  const itimerspec at{.it_interval = {}, .it_value = {since / 1'000'000'000, since % 1'000'000'000}};
  ::timerfd_settime(alarm_.value(), TFD_TIMER_ABSTIME, &at, nullptr);
}

bool EventLoop::watch_level(int descriptor, Wakeup& handler, bool exclusive) {
  const uintptr_t tagged = reinterpret_cast<uintptr_t>(&handler) | kLevelTag;
  epoll_event event{.events = EPOLLIN | (exclusive ? static_cast<uint32_t>(EPOLLEXCLUSIVE) : 0u),
                    .data = {.u64 = tagged}};
  return ::epoll_ctl(epoll_.value(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void EventLoop::unwatch_level(int descriptor) { ::epoll_ctl(epoll_.value(), EPOLL_CTL_DEL, descriptor, nullptr); }

// Nothing runs while events are collected: flags are set and wakeups queued, so every pointer here is alive.
void EventLoop::collect(int count) {
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<size_t>(i)];
    if (event.data.u64 == kAlarm) {
      alarm_at_ = Deadline::never();
    } else if ((event.data.u64 & kLevelTag) != 0) {
      ready_.push(*reinterpret_cast<Wakeup*>(event.data.u64 & ~kLevelTag));
    } else {
      static_cast<Watched*>(event.data.ptr)->report(event.events);
    }
  }
}

void EventLoop::pass() {
  ready_.run(kWakeupsPerPass);
  const Instant after = Clock::now();
  longest_pass_ = std::max(longest_pass_, std::chrono::duration_cast<std::chrono::microseconds>(after - now_));
  if (stopping_) return;
  bool waits = ready_.empty() && next_pass_.empty();
  if (beside_) waits = beside_->before(after, waits) && waits;
  if (waits) set_alarm(timers_.next());
  const int count = ::epoll_wait(epoll_.value(), events_.data(), static_cast<int>(events_.size()), waits ? -1 : 0);
  now_ = waits ? Clock::now() : after;
  if (beside_) beside_->after();
  collect(std::max(count, 0));
  timers_.expire(now_, ready_);
  ready_.take_all(next_pass_);
}

void EventLoop::run() {
  while (!stopping_) pass();
  stopping_ = false;
}

std::chrono::microseconds EventLoop::take_longest_pass() { return std::exchange(longest_pass_, {}); }

void WaitReady::await_suspend(std::coroutine_handle<> awaiting) {
  resume_.handle = awaiting;
  waits_ = true;
  signal_.notify(&resume_);
  if (other_) other_->notify(&resume_);
  loop_.timers().arm(timer_, deadline_);
}

void WaitReady::leave() {
  if (!waits_) return;
  waits_ = false;
  signal_.notify(nullptr);
  if (other_) other_->notify(nullptr);
  timer_.disarm();
}

bool WaitReady::await_resume() {
  leave();
  return signal_.is_set();
}

}   // namespace proxyd::async
