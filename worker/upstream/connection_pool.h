#pragma once

#include <cstdint>
#include <memory>

#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"
#include "worker/net/connection_list.h"

namespace proxyd::upstream {

class Connection;
struct Services;

// The connections to one target, each from its making to its end. The idle ones are the pool's, youngest first (LIFO),
// so that the rest can go idle and be closed. An idle one stays watched: any event discards it, for an origin has
// nothing to say then. The busy ones, those that connect among them, belong to whoever uses them; the pool only knows
// them, to cut them. Everything that changes trust or wire meaning (address, scheme, TLS names and certificates,
// protocol) is the target's identity, so a pool never mixes them. The idle are bounded by keepalive.max_idle. Owned by
// the target; one thread.
class ConnectionPool {
 public:
  ConnectionPool(const Services& services, uint32_t row);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  void set_limits(const config::Keepalive& limits) { limits_ = limits; }
  const config::Keepalive& limits() const { return limits_; }

  // A connection that can be used now, or null.
  std::unique_ptr<Connection> take();
  // Takes back one whose exchange ended well; closes it when it is old or used up, or too many are idle.
  void give_back(std::unique_ptr<Connection> connection);
  // Called by an idle connection about itself: closes it.
  void discard(Connection& connection);
  // Closes the idle ones.
  void close_all();
  // Ends what the busy ones do, and counts them: each finds its connection broken when the loop tells it, never within
  // this call.
  void cut();

  size_t idle() const { return idle_.size(); }
  // Called by a connection about itself, at its making and at its end.
  void opened(Connection& connection);
  void closed(Connection& connection);

 private:
  void become_idle(Connection& connection);
  void become_busy(Connection& connection);

  async::EventLoop& loop_;
  const status::StatusRegion& status_;
  uint32_t slot_;
  uint32_t row_;
  metrics::Cell unsolicited_;
  config::Keepalive limits_;
  net::ConnectionList<Connection> idle_;
  net::ConnectionList<Connection> busy_;
};

}   // namespace proxyd::upstream
