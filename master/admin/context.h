#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "master/admin/exchange.h"
#include "master/master.h"

namespace proxyd::admin {

// What every handler uses: the master's parts, and what the admin side itself remembers. Owned by the server.
class Context {
 public:
  explicit Context(master::Master& the_master) : master(the_master) {}

  master::Master& master;

  // Failed logins by address: 10 in 5 minutes are too many.
  bool too_many_failures(const std::string& peer);
  void note_failure(const std::string& peer);
  void audit(const AdminRequest& request, int status, const std::string& detail);

 private:
  std::mutex mutex_;
  std::map<std::string, std::deque<Instant>> failures_;
};

}  // namespace proxyd::admin
