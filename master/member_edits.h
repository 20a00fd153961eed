#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "shared/base/clock.h"

namespace proxyd::master {

// Who changes dynamic targets meets here: one caller at a time makes the change for all that came meanwhile, at most
// once a second, so that a registry that adds a thousand targets one by one makes a new epoch each second and not a
// thousand of them. Owned by the configuration; any thread; blocks until the caller's part is done, which is a second
// and the time of two changes. `close` ends the waiting for a turn.
template <class Part>
class MemberEdits {
 public:
  using Perform = std::function<void(const std::vector<Part*>&)>;
  // Between two changes.
  explicit MemberEdits(milliseconds pause) : pause_(pause) {}

  // Returns when `perform`, of this caller or another, has done `part`. It may not throw.
  void add(Part& part, const Perform& perform) {
    Waiting mine{&part};
    std::unique_lock lock(mutex_);
    waiting_.push_back(&mine);
    changed_.wait(lock, [&] { return mine.done || !led_; });
    if (mine.done) return;
    led_ = true;
    changed_.wait_until(lock, next_, [this] { return closed_; });
    next_ = Clock::now() + pause_;
    std::vector<Waiting*> batch;
    std::swap(batch, waiting_);
    lock.unlock();
    std::vector<Part*> parts;
    for (Waiting* one : batch) parts.push_back(one->part);
    perform(parts);
    lock.lock();
    for (Waiting* one : batch) one->done = true;
    led_ = false;
    lock.unlock();
    changed_.notify_all();
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    changed_.notify_all();
  }

 private:
  struct Waiting {
    Part* part = nullptr;
    bool done = false;
  };

  const milliseconds pause_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting*> waiting_;
  bool led_ = false;   // somebody waits for the next turn, or makes the change
  bool closed_ = false;
  Instant next_{};
};

}   // namespace proxyd::master
