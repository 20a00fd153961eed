#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "shared/base/clock.h"

namespace proxyd::master {

// Looks up the names of targets, in a thread of its own, and again every 10 s: by getaddrinfo, which tells no TTL, so
// `resolve` and SRV records are not supported yet. Names that do not resolve keep the addresses they had; a changed
// answer calls back. Owned by the master; `addresses` from any thread.
class Resolver {
 public:
  // `on_change` runs in the resolver's thread.
  explicit Resolver(std::function<void()> on_change);
  ~Resolver();

  // For each "host:port" or "unix:/path": where to connect, as "192.0.2.1:80" … Addresses are themselves; a name that
  // is new is waited for, up to `patience`; one without an answer has no address for now. From now on these names, and
  // no others, are looked up again.
  std::map<std::string, std::vector<std::string>> addresses(const std::vector<std::string>& targets,
                                                            milliseconds patience);

 private:
  void run();
  static std::vector<std::string> look_up(const std::string& target);

  std::function<void()> on_change_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable answered_;
  std::map<std::string, std::vector<std::string>> known_;
  std::set<std::string> pending_;
  std::set<std::string> wanted_;
  bool stopping_ = false;
  std::thread thread_;
};

}   // namespace proxyd::master
