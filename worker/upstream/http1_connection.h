#pragma once

#include <memory>

#include "shared/base/clock.h"
#include "worker/async/event_loop.h"
#include "worker/net/connection_list.h"
#include "worker/net/tcp_stream.h"
#include "worker/tls/client_context.h"
#include "worker/tls/tls_stream.h"

namespace proxyd::upstream {

class ConnectionPool;
class Target;

// One HTTP/1 connection to a target: connecting, then in use by one exchange at a time or idle in the pool, then
// closing. Owned by the exchange that uses it or by the pool, which knows it in either case; the target outlives it.
// Idle it holds no buffer.
class Http1Connection : private async::Wakeup {
 public:
  enum class State : uint8_t { kConnecting, kInUse, kIdle, kClosing };

  explicit Http1Connection(Target& target);
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;
  ~Http1Connection();

  // Takes over a socket on which connect was called. False when the loop can't watch it.
  bool start(async::EventLoop& loop, UniqueFd socket) { return tcp_.start(loop, std::move(socket)); }
  void connected();
  void use();
  // The exchange ended and the connection may serve another.
  void rest(Deadline idle_until);
  void close_after_use();

  net::Stream& stream() { return tls_ ? static_cast<net::Stream&>(*tls_) : tcp_; }
  net::TcpStream& tcp() { return tcp_; }
  // Connected, and TLS is spoken on it: it is the stream from now on.
  tls::TlsStream& secure(tls::ClientContext& context);
  Instant created() const { return created_; }
  uint64_t served() const { return served_; }
  State state() const { return state_; }
  // Whether the origin has closed it or sent something that nobody asked for.
  bool spoiled();

 private:
  friend class net::ConnectionList<Http1Connection>;
  void woken();
  void move_to(State state);

  Target& target_;
  net::TcpStream tcp_;
  std::unique_ptr<tls::TlsStream> tls_;
  async::Timer idle_timer_;
  net::ConnectionLinks<Http1Connection> links_;   // in the pool's list of the idle or of the busy
  Instant created_;
  uint64_t served_ = 0;
  State state_ = State::kConnecting;
};

}   // namespace proxyd::upstream
