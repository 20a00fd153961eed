#include "master/chores.h"

#include <algorithm>
#include <exception>

namespace proxyd::master {

Chores::Chores(Log& log) : log_(log), thread_([this] { run(); }) {}

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

void Chores::perform(const std::string& name, const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    log_.error("the chore '{}' was given up: {}", name, error.what());
  }
}

void Chores::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const auto [name, work] = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    perform(name, work);
    lock.lock();
  }
}

}   // namespace proxyd::master
