#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "master/master.h"

namespace proxyd::admin {

// Overrides that are of no target: the number of workers and the error log's level (configuration.md 1). They are kept
// in the store with owner, reason and expiry, come back after a restart, and go back by themselves. Owned by the
// context; any thread.
class Settings {
 public:
  explicit Settings(master::Master& master) : master_(master) {}

  enum class Subject { kWorkers, kLogLevel };
  struct Value {
    std::string value;
    std::string owner;
    std::string reason;
    std::optional<milliseconds> lifetime;
  };
  store::Outcome<bool> put(Subject subject, const Value& value);
  store::Outcome<bool> clear(Subject subject);
  // Puts in force what the store says now; takes back what has expired. At start, and once a second.
  void refresh();

 private:
  store::Outcome<bool> refresh_locked();
  void set_workers(int count);
  void set_level(const std::string& name);

  master::Master& master_;
  std::mutex mutex_;
  int workers_ = 0;     // in force; 0: what the bootstrap says
  std::string level_;   // in force; empty: what the document says
};

}   // namespace proxyd::admin
