#pragma once

#include <cstdint>
#include <memory>

#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"

namespace proxyd::upstream {

class Http1Connection;
struct Services;

// The idle connections to one target, youngest first (LIFO), so that the rest can go idle and be closed. An idle one
// stays watched: any event discards it, for an origin has nothing to say then. Everything that changes trust or wire
// meaning (address, scheme, TLS names and certificates, protocol) is the target's identity, so a pool never mixes
// them. Bounded by keepalive.max_idle. Owned by the target; one thread.
class ConnectionPool {
 public:
  ConnectionPool(const Services& services, uint32_t row);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;
  ~ConnectionPool();

  void set_limits(const config::Keepalive& limits) { limits_ = limits; }
  const config::Keepalive& limits() const { return limits_; }

  // A connection that can be used now, or null.
  std::unique_ptr<Http1Connection> take();
  // Takes back one whose exchange ended well; closes it when it is old or used up, or too many are idle.
  void give_back(std::unique_ptr<Http1Connection> connection);
  // Called by an idle connection about itself: closes it.
  void discard(Http1Connection& connection);
  void close_all();

  size_t idle() const { return idle_; }
  void opened();
  void closed();

 private:
  void unlink(Http1Connection& connection);

  async::EventLoop& loop_;
  const status::StatusRegion& status_;
  uint32_t slot_;
  uint32_t row_;
  metrics::Cell unsolicited_;
  config::Keepalive limits_;
  Http1Connection* first_ = nullptr;   // youngest
  Http1Connection* last_ = nullptr;
  size_t idle_ = 0;
};

}   // namespace proxyd::upstream
