#pragma once

#include <map>
#include <memory>
#include <string>

#include "shared/base/log.h"
#include "shared/base/unique_fd.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"
#include "worker/downstream/connections.h"
#include "worker/downstream/settings.h"

namespace proxyd::downstream {

// Takes connections from the listening sockets that the master owns and shares with all workers (performance.md,
// "Listeners"): level-triggered with EPOLLEXCLUSIVE, at most 16 a wake-up. A worker with clearly more connections than
// the mean leaves the sockets before it is woken for them and comes back below the mean; whoever leaves accepts once
// until there is nothing left, since a wake-up may already be on its way to it. Owned by the worker; one thread;
// nothing suspends. Descriptors short, or only the reserve left: the oldest idle connection goes, else the socket
// rests, 100 ms to a second.
class Acceptor : private async::Wakeup {
 public:
  struct Counters {
    metrics::Cell descriptors_short;   // accept_errors{reason="descriptors"}
    metrics::Cell other_errors;        // accept_errors{reason="other"}
  };

  Acceptor(async::EventLoop& loop, Connections& connections, const status::StatusRegion& status, uint32_t slot,
           Log& log);
  ~Acceptor();

  // The sockets from now on, by address, each with its listener. What is there already is kept, what is not named is
  // left and closed.
  struct Given {
    UniqueFd socket;
    std::string address;
    std::shared_ptr<Listener> listener;
  };
  void set_sockets(std::vector<Given> sockets);
  void set_counters(Counters counters) { counters_ = counters; }

  // Accept on every socket until there is nothing left: another worker may have died with a wake-up.
  void accept_once();
  // Leaves and closes all sockets, for good.
  void close();
  // Once a second, by the worker.
  void housekeeping();

 private:
  class Socket;

  void rebalance();
  bool has_too_many() const;
  bool has_few() const;
  void hand_over(Socket& socket, const std::vector<Given>& given, const std::shared_ptr<Listener>& successor);
  void join_all();
  void leave_all();
  void accept_while_away();
  void arm_check();
  void reserve_descriptors();

  async::EventLoop& loop_;
  Connections& connections_;
  const status::StatusRegion& status_;
  uint32_t slot_;
  Log& log_;
  Counters counters_;
  std::map<std::string, std::unique_ptr<Socket>> sockets_;
  async::Timer check_;   // while away: whether to come back
  milliseconds check_after_{1};
  int away_batch_ = 1;
  Instant last_shortage_log_{};
  int reserved_from_ = 0;   // accepted sockets of this number and above mean a shortage
  bool joined_ = false;
};

}   // namespace proxyd::downstream
