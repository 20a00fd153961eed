#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "shared/base/clock.h"

namespace proxyd::master {

// Looks up the names of targets in a thread of its own, those in force again and again, new ones first: by getaddrinfo,
// which tells no TTL, so `resolve` and SRV records are not supported yet. A name that does not resolve keeps the
// addresses it had; while an answer differs from what serves, each lookup calls back. Owned by the master; any thread.
// At the end nobody waits for a lookup that is under way: the system's cannot be stopped, so its thread is left behind
// with what it needs.
class Resolver {
 public:
  // Where to connect, for each "host:port" or "unix:/path": "192.0.2.1:80" … None: not known.
  using Addresses = std::vector<std::string>;
  using Answers = std::map<std::string, Addresses>;
  using LookUp = std::function<Addresses(const std::string& target)>;

  // `on_change` runs in the resolver's thread, which holds its lock: it only notes. `interval` is between two rounds.
  explicit Resolver(std::function<void()> on_change, LookUp look_up = ask_system,
                    milliseconds interval = std::chrono::seconds(10));
  ~Resolver();

  // Addresses are themselves; a name that is new is waited for, up to `patience`.
  Answers addresses(const std::vector<std::string>& targets, milliseconds patience);
  // What serves from now on: these names, and no others, are looked up again.
  void watch(const Answers& in_force);

 private:
  struct State;
  static Addresses ask_system(const std::string& target);
  static void run(State& state);

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}   // namespace proxyd::master
