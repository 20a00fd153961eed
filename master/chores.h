#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace proxyd::master {

// One thread for the master's own work that waits for workers or disk (reload, new epochs, copies of the store), so
// that the loop, which has to hear the workers meanwhile, never waits. Owned by the master; any thread adds. A chore
// of a name that waits already is not added again, so the queue is bounded by the names. Ends after the chore it does.
class Chores {
 public:
  Chores();
  ~Chores();

  void add(std::string name, std::function<void()> work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::pair<std::string, std::function<void()>>> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}   // namespace proxyd::master
