#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "shared/base/clock.h"

namespace proxyd::admin {

// How often something was tried from an address within five minutes: failed logins, refused requests. Any thread.
// Bounded: 4,096 addresses, the one that was quiet longest goes.
class Attempts {
 public:
  explicit Attempts(size_t limit) : limit_(limit) {}

  // How long it takes until one more is allowed; zero when it is now.
  std::chrono::seconds wait_for(const std::string& peer, Instant now);
  void note(const std::string& peer, Instant now);

 private:
  size_t limit_;
  std::mutex mutex_;
  std::map<std::string, std::deque<Instant>> times_;
};

}   // namespace proxyd::admin
