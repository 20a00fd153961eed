#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "master/admin/attempts.h"
#include "master/admin/exchange.h"
#include "master/admin/login_codes.h"
#include "master/admin/operations.h"
#include "master/admin/worker_watch.h"
#include "master/master.h"

namespace proxyd::admin {

// What every handler uses: the master's parts, and what the admin side itself remembers. Owned by the server. Once a
// second its own thread looks what became of workers.
class Context {
 public:
  explicit Context(master::Master& the_master)
      : master(the_master), workers_(the_master.regions().status(), the_master.events()) {}
  ~Context() { stop(); }

  master::Master& master;
  Attempts failed_logins{10};
  Attempts refusals{20};               // of nobody known that are written down, an address
  std::atomic<int> event_streams{0};   // open, of all doors
  LoginCodes login_codes;
  Operations operations;
  std::timed_mutex
      document_turn;   // changes of the document come one after the other, so that none is overtaken for ever

  void start();
  // Ends what waits: long calls, the thread.
  void stop();
  // Kept before this returns, or, where the route says so, afterwards.
  void audit(const AdminRequest& request, int status, const std::string& detail);

 private:
  void keep_house();
  void look_around();

  WorkerWatch workers_;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool stopping_ = false;
  std::thread house_;
};

}   // namespace proxyd::admin
