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

// One connection to a target: connecting, then in use or idle in the pool, then closing. Owned by who uses it, an
// HTTP/1 exchange at a time or an Http2Connection for its life, or by the pool, which knows it in either case; the
// target outlives it. Idle it holds no buffer.
class Connection : private async::Wakeup {
 public:
  enum class State : uint8_t { kConnecting, kInUse, kIdle, kClosing };

  explicit Connection(Target& target);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Takes over a socket on which connect was called. False when the loop can't watch it.
  bool start(async::EventLoop& loop, UniqueFd socket) { return tcp_.start(loop, std::move(socket)); }
  void connected();
  void use();
  // It goes to the pool before any request was on it: its next use is its first.
  void spare_use() { --served_; }
  // The exchange ended and the connection may serve another.
  void rest(Deadline idle_until);
  void close_after_use();

  net::Stream& stream() { return tls_ ? static_cast<net::Stream&>(*tls_) : tcp_; }
  net::TcpStream& tcp() { return tcp_; }
  // The target has chosen HTTP/2 in its handshake.
  bool chose_http2() const { return tls_ && tls_->chose_http2(); }
  // Connected, and TLS is spoken on it: it is the stream from now on.
  tls::TlsStream& secure(tls::ClientContext& context, tls::ClientContext::Offer offer);
  Instant created() const { return created_; }
  uint64_t served() const { return served_; }
  State state() const { return state_; }
  // Whether the origin has closed it or sent something that nobody asked for.
  bool spoiled();

 private:
  friend class net::ConnectionList<Connection>;
  void woken();
  void move_to(State state);

  Target& target_;
  net::TcpStream tcp_;
  std::unique_ptr<tls::TlsStream> tls_;
  async::Timer idle_timer_;
  net::ConnectionLinks<Connection> links_;   // in the pool's list of the idle or of the busy
  Instant created_;
  uint64_t served_ = 0;
  State state_ = State::kConnecting;
};

}   // namespace proxyd::upstream
