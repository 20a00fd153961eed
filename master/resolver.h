#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "master/dns/lookups.h"
#include "shared/base/clock.h"
#include "shared/base/log.h"

namespace proxyd::master {

// Knows where the targets are that are names: asks in a thread of its own, new ones first, and each that is in force
// again when its TTL, within the bounds of its upstream, is over. When no answer comes a name keeps the addresses it
// had; when the servers deny it, for a while. While what is known differs from what serves, each answer calls back.
// Owned by the master; any thread. At most 64 addresses a name; those that sort first, of lower priorities before.
class Resolver {
 public:
  // Where to connect, for each address of the document. None: not known.
  using Addresses = std::vector<dns::Address>;
  using Answers = std::map<dns::Query, Addresses>;
  struct Pace {
    milliseconds first_retry{1000};   // doubled each time that no answer comes
    milliseconds longest_retry{30'000};
    milliseconds gone_after{60'000};   // a name that is denied for so long has no address any more
  };

  // `on_change` runs under the resolver's lock: it only notes.
  Resolver(std::function<void()> on_change, std::unique_ptr<dns::Lookups> lookups, Log& log)
      : Resolver(std::move(on_change), std::move(lookups), log, Pace()) {}
  Resolver(std::function<void()> on_change, std::unique_ptr<dns::Lookups> lookups, Log& log, Pace pace);
  ~Resolver();

  // Addresses are themselves; a name that is new, and not in force either, is waited for, up to `patience`.
  Answers addresses(const std::vector<dns::Query>& queries, milliseconds patience);
  // What serves from now on: these names, and no others, are looked up again.
  void watch(const Answers& in_force);
  // Names in force that could not be looked up the last time.
  struct Trouble {
    std::string target;
    std::string reason;
    size_t addresses = 0;   // that it has all the same
  };
  std::vector<Trouble> troubles() const;

 private:
  struct Name {
    Addresses known;
    std::optional<Addresses> in_force;
    bool answered = false;   // well or not
    bool under_way = false;
    Instant again{};
    int failures = 0;         // in a row
    Instant denied_since{};   // none: it is not denied
    std::string trouble;
    std::string told;   // what the log said of it last
  };

  void run();
  Instant begin_due();
  void take(const dns::Query& query, dns::Outcome outcome);
  void note_failure(Name& name, const dns::Outcome& outcome) const;
  void tell(const std::string& target, Name& name) const;

  std::function<void()> on_change_;
  std::unique_ptr<dns::Lookups> lookups_;
  Log& log_;
  Pace pace_;
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  std::map<dns::Query, Name> names_;
  size_t under_way_ = 0;
  int waiting_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}   // namespace proxyd::master
