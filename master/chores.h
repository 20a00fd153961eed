#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "shared/base/log.h"

namespace proxyd::master {

// One thread for the master's own work that waits for workers or disk (reload, new epochs, copies of the store), so
// that the loop, which has to hear the workers meanwhile, never waits. Owned by the master; any thread adds. A chore
// of a name that waits already is not added again, so the queue is bounded by the names. One that throws is logged and
// ends alone. Ends after the chore it does.
class Chores {
 public:
  explicit Chores(Log& log);
  ~Chores();

  void add(std::string name, std::function<void()> work);

 private:
  void run();
  void perform(const std::string& name, const std::function<void()>& work);

  Log& log_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::pair<std::string, std::function<void()>>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}   // namespace proxyd::master
