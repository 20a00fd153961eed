#pragma once

#include <memory>
#include <optional>

#include "worker/async/task.h"
#include "worker/downstream/connections.h"
#include "worker/downstream/settings.h"
#include "worker/net/tcp_stream.h"
#include "worker/tls/server_context.h"
#include "worker/tls/tls_stream.h"

namespace proxyd::downstream {

class Http1Exchange;
class Http2Connection;

// One connection of a client, from accept to close. Owned by Connections. First it is opened, where there is something
// to do before HTTP: the PROXY header, the TLS handshake; then it speaks HTTP/1 (`http1_requests`) or HTTP/2. Idle it
// is this object alone, with that of TLS: no coroutine frame, no buffer; a wakeup starts a task, which ends when the
// connection is idle again or is to be closed. A broken connection destroys the running request, and so does one that
// the client has closed on its side while nothing moves.
class Connection : private async::Wakeup {
 public:
  Connection(Connections& connections, std::shared_ptr<Listener> listener);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // False when the socket can't be watched.
  bool start(UniqueFd socket, const sockaddr_storage& peer);

  // For the protocol that is spoken on it.
  net::Stream& stream() { return tls_ ? static_cast<net::Stream&>(tls_->stream) : tcp_; }
  Services& services() const { return connections_.services(); }
  async::EventLoop& loop() const { return services().loop; }
  const Connections& connections() const { return connections_; }
  const Peer& peer() const { return peer_; }
  const Listener& listener() const { return *listener_; }
  const Settings& settings() const { return listener_->settings; }
  // By the last answer's route, until those of the listener change. A wait that has begun keeps its deadline.
  const Waits& waits() const {
    return route_waits_.generation == listener_->waits_generation ? route_waits_.waits : settings().waits;
  }
  RouteWaits& route_waits() { return route_waits_; }
  // A new snapshot may have given the socket to another listener.
  void follow_listener();
  // HTTP/2 says by itself when there is nothing to do.
  void become_idle();
  void become_busy();
  void become_ending();
  // For good; it is destroyed.
  void close();
  // No request begins any more.
  bool is_ending() const { return connections_.draining() || listener_->gone; }
  // A request has been received.
  bool has_served() const { return served_any_; }
  // What becomes of it when the task that serves it ends.
  void close_after_serving(bool close) { close_ = close; }

  // The exchange that is handled, for as long as it is.
  class Serving {
   public:
    Serving(Connection& connection, Http1Exchange& exchange) : connection_(connection) {
      connection_.exchange_ = &exchange;
      connection_.served_any_ = true;
      connection_.waits_anew_ = true;
    }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;
    ~Serving() { connection_.exchange_ = nullptr; }

   private:
    Connection& connection_;
  };

 private:
  friend class Connections;
  friend class net::ConnectionList<Connection>;
  enum class State : uint8_t { kIdle, kServing, kEnding };
  // What TLS adds to a connection, apart, so that others don't carry it.
  struct Tls {
    Tls(std::shared_ptr<const tls::ServerContext> by, net::TcpStream& tcp, Services& services)
        : context(std::move(by)), stream(tcp, services.buffers, context->accept(accepted), &services.tls.kernel) {}
    std::shared_ptr<const tls::ServerContext> context;
    tls::Accepted accepted;
    TlsFacts facts;
    tls::TlsStream stream;
  };

  // Woken: readable while idle, a timeout, the end of the task, or the client hung up.
  void woken();
  bool begin_serving();
  bool is_abandoned();
  void enter_listener();
  void leave_listener();
  void go_idle();
  void start_http2();
  bool finish_serving();
  // connection_opening.cpp
  async::Task<void> open();
  async::Task<bool> receive_proxy_header();
  async::Task<bool> accept_tls();
  async::Task<bool> look_for_preface();
  void note_tls();

  Connections& connections_;
  std::shared_ptr<Listener> listener_;
  net::TcpStream tcp_;
  std::unique_ptr<Tls> tls_;
  std::unique_ptr<Http2Connection> http2_;   // once it is spoken
  async::Timer timer_;
  async::Task<void> serving_;
  Http1Exchange* exchange_ = nullptr;        // while one is handled
  net::ConnectionLinks<Connection> links_;   // among the idle or the busy
  RouteWaits route_waits_;
  Peer peer_;
  Deadline request_due_ = Deadline::never();
  State state_ = State::kIdle;
  bool close_ = false;   // after serving: close instead of going idle
  bool served_any_ = false;
  bool waits_anew_ = true;   // for the next request; octets that make none don't prolong the wait
  bool opened_ = false;
  bool chose_http2_ = false;
};

}   // namespace proxyd::downstream
