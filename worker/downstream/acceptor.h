#pragma once

#include <map>
#include <memory>
#include <string>

#include "shared/base/log.h"
#include "shared/base/unique_fd.h"
#include "shared/memory/wake_descriptors.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/status_region.h"
#include "worker/async/act.h"
#include "worker/async/event_loop.h"
#include "worker/downstream/connections.h"
#include "worker/downstream/settings.h"

namespace proxyd::downstream {

// Takes connections from the listening sockets that the master owns and shares with all workers (performance.md,
// "Listeners"): level-triggered with EPOLLEXCLUSIVE, at most 16 a wake-up. A worker with clearly more connections than
// the mean leaves the sockets before it is woken for them and comes back below the mean. The kernel wakes one worker
// for a connection and never another, so who leaves calls those with few for what waits there; a call that was lost is
// made up for by a look now and then. Owned by the worker; one thread; nothing suspends. Descriptors short, or only the
// reserve left: one that is ending or the oldest idle one goes, else the socket rests, 100 ms to a second.
class Acceptor {
 public:
  struct Counters {
    metrics::Cell descriptors_short;   // accept_errors{reason="descriptors"}
    metrics::Cell other_errors;        // accept_errors{reason="other"}
  };

  // `called` is raised when the descriptor of this worker's slot is written. All outlive the acceptor.
  Acceptor(async::EventLoop& loop, Connections& connections, const status::StatusRegion& status,
           const memory::WakeDescriptors& wakes, async::Signal& called, uint32_t slot, Log& log);
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

  // Look at every socket: another worker may have died with a wake-up.
  void look_again();
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
  bool somebody_waits() const;
  void call_those_with_few() const;
  void answer();
  void check();
  void reserve_descriptors();

  async::EventLoop& loop_;
  Connections& connections_;
  const status::StatusRegion& status_;
  const memory::WakeDescriptors& wakes_;
  async::Signal& called_;
  uint32_t slot_;
  Log& log_;
  Counters counters_;
  std::map<std::string, std::unique_ptr<Socket>> sockets_;
  async::Act<&Acceptor::answer> answer_;
  async::Act<&Acceptor::check> look_;
  async::Timer check_;   // while away: whether to come back
  milliseconds next_check_{};
  int away_batch_ = 0;
  Instant last_shortage_log_{};
  int reserved_from_ = 0;   // accepted sockets of this number and above mean a shortage
  bool joined_ = false;
};

}   // namespace proxyd::downstream
