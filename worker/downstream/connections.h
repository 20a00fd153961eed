#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>

#include "shared/base/log.h"
#include "shared/base/unique_fd.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"
#include "worker/async/turns.h"
#include "worker/downstream/exchange.h"
#include "worker/downstream/settings.h"
#include "worker/http2/counters.h"
#include "worker/http2/memory.h"
#include "worker/net/buffer_pool.h"
#include "worker/net/connection_list.h"
#include "worker/net/pipe_pool.h"
#include "worker/tls/kernel_tls.h"

namespace proxyd::downstream {

class Connection;

// What is counted about TLS, and where its records are made.
struct TlsCells {
  metrics::Cell full;
  metrics::Cell resumed;
  metrics::Cell failed;
  metrics::Cell timeouts;
  tls::KernelTls kernel;
};

// What HTTP/2 needs beside.
struct Http2Services {
  http2::Memory& memory;
  const http2::Counters& counters;
  metrics::Cell preface_timeouts;
  metrics::Cell frame_timeouts;
  metrics::Cell window_stalls;
};

// What every connection uses; all of it belongs to the worker and outlives them.
struct Services {
  async::EventLoop& loop;
  net::BufferPool& buffers;
  net::PipePool& pipes;
  RequestHandler& handler;
  status::WorkerSlot& slot;
  Log& log;
  metrics::Cell unhandled_exceptions;
  metrics::Cell proxy_protocol_bad;
  metrics::Cell keepalive_timeouts;
  metrics::Cell head_timeouts;
  TlsCells tls;
  async::Turns& handshakes;
  Http2Services http2;
};

// All client connections of this worker, from accept to close. Owned by the worker; each connection lies on the heap,
// linked here. Idle ones are in the order of their last use: when descriptors run short the oldest goes first. One
// thread; nothing suspends.
class Connections {
 public:
  explicit Connections(Services services) : services_(services) {}
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections() { cut_all(); }

  // Takes over an accepted socket. It is closed at once when the loop can't watch it.
  void adopt(UniqueFd socket, const sockaddr_storage& peer, std::shared_ptr<Listener> listener);
  // From now on no connection lives longer than its request; idle ones are closed.
  void drain();
  bool draining() const { return draining_; }
  // Closes one that is ending, or the idle connection that was used longest ago. False when there is none.
  bool close_oldest_idle();
  // The same among a listener's that are ending, or have been served and say nothing now, so that a new one finds room.
  // Looks at a few only.
  bool close_oldest_idle_of(const Listener& listener);
  // The listener is gone: its idle connections are closed, those that are busy end with their request.
  void end_those_of(const Listener& listener);
  // Cuts all that is left; says how many.
  size_t cut_all();

  uint64_t open() const { return open_; }
  Services& services() { return services_; }

 private:
  friend class Connection;
  template <class Predicate>
  void end_http2(Predicate wanted);
  template <class Predicate>
  void close_idle(Predicate wanted);
  Connection* oldest_at_rest(const Listener* listener) const;
  void become_idle(Connection& connection);
  void become_busy(Connection& connection);
  void become_ending(Connection& connection);
  net::ConnectionList<Connection>& list_of(const Connection& connection);
  void close(Connection& connection);

  Services services_;
  net::ConnectionList<Connection> idle_;
  net::ConnectionList<Connection> busy_;
  net::ConnectionList<Connection> ending_;   // all is said, and the client's end awaited
  uint64_t open_ = 0;
  bool draining_ = false;
};

}   // namespace proxyd::downstream
