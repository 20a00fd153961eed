#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "shared/base/clock.h"

namespace proxyd::master {

struct Event {
  uint64_t id = 0;
  std::string kind;   // stats, revision, target, worker, purge
  nlohmann::json body;
};

// What happened lately, for /events: the last 1,024, each with a number, so that a reader who lost its stream goes on
// where it was. Numbers rise over restarts too: they begin with the time of the start. Any thread.
class Events {
 public:
  Events();
  void publish(std::string kind, nlohmann::json body);
  // Those after `id`, waiting up to `patience` for one. Empty after `close`.
  std::vector<Event> after(uint64_t id, milliseconds patience);
  uint64_t last();
  void close();
  bool closed();

 private:
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<Event> events_;
  uint64_t last_ = 0;
  bool closed_ = false;
};

}   // namespace proxyd::master
