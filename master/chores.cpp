#include "master/chores.h"

#include <algorithm>

namespace proxyd::master {

Chores::Chores() : thread_([this] { run(); }) {}

Chores::~Chores() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  thread_.join();
}

void Chores::add(std::string name, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    const bool waits =
        std::any_of(waiting_.begin(), waiting_.end(), [&name](const auto& one) { return one.first == name; });
    if (waits || stopping_) return;
    waiting_.emplace_back(std::move(name), std::move(work));
  }
  more_.notify_all();
}

void Chores::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const auto work = std::move(waiting_.front().second);
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}   // namespace proxyd::master
