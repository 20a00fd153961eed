#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "master/bootstrap.h"
#include "master/configuration.h"
#include "master/events.h"
#include "master/store/store.h"
#include "master/worker_pool.h"
#include "shared/base/log.h"

namespace proxyd::master {

// Overrides that are of no target: the number of workers and the error log's level. They are kept
// in the store with owner, reason and expiry, come back after a restart, and go back by themselves. Owned by the
// master; any thread. Fails when the store does, and then nothing has changed.
class ProcessOverrides {
 public:
  enum class Subject { kWorkers, kLogLevel };
  struct Parts {
    const Bootstrap& bootstrap;
    store::Store& store;
    WorkerPool& pool;
    Configuration& configuration;
    Events& events;
    Log& log;
  };
  struct Value {
    std::string value;
    std::string owner;
    std::string reason;
    std::optional<milliseconds> lifetime;
  };

  explicit ProcessOverrides(Parts parts) : parts_(parts) {}

  // The subject as the store spells it; nothing for an override of something else.
  static std::optional<Subject> parse(const std::string& subject);

  store::Outcome<void> put(Subject subject, const Value& value);
  store::Outcome<void> clear(Subject subject);
  // At start: what outlived the last process.
  store::Outcome<void> resume();
  // Takes back what has expired. Called once a second.
  void expire();

 private:
  void enforce(Subject subject, const std::string& value);
  void enforce_workers(int count);
  void enforce_level(const std::string& name);

  Parts parts_;
  std::mutex mutex_;
  std::map<Subject, store::Override> in_force_;
};

}   // namespace proxyd::master
