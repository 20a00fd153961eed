#pragma once

#include <memory>

#include "worker/async/task.h"
#include "worker/downstream/connections.h"
#include "worker/downstream/settings.h"
#include "worker/message/input.h"
#include "worker/net/tcp_stream.h"

namespace proxyd::downstream {

class Http1Exchange;

// One HTTP/1 connection of a client (RFC 9112 9): requests one after the other, pipelined ones from the octets already
// there. Owned by Connections. Idle it is this object alone: no coroutine frame, no buffer; a wakeup starts `serve`,
// which ends when the connection is idle again or is to be closed. A broken connection destroys the running request,
// and so does one that the client has closed on its side while nothing moves.
class Http1Connection : private async::Wakeup {
 public:
  Http1Connection(Connections& connections, std::shared_ptr<Listener> listener);
  Http1Connection(const Http1Connection&) = delete;
  Http1Connection& operator=(const Http1Connection&) = delete;
  ~Http1Connection();

  // False when the socket can't be watched.
  bool start(UniqueFd socket, const sockaddr_storage& peer);

 private:
  friend class Connections;
  friend class net::ConnectionList<Http1Connection>;
  enum class State : uint8_t { kIdle, kServing };
  enum class Next : uint8_t { kIdle, kAnother, kClose, kCloseAfterLinger };
  enum class Received : uint8_t { kRequest, kPending, kNothingYet, kEnd };

  // The exchange that is handled, for as long as it is.
  class Serving {
   public:
    Serving(Http1Connection& connection, Http1Exchange& exchange) : connection_(connection) {
      connection_.exchange_ = &exchange;
      connection_.served_any_ = true;
    }
    Serving(const Serving&) = delete;
    Serving& operator=(const Serving&) = delete;
    ~Serving() { connection_.exchange_ = nullptr; }

   private:
    Http1Connection& connection_;
  };

  // Woken: readable while idle, a timeout, the end of `serve`, or the client hung up.
  void woken();
  bool begin_serving();
  bool is_abandoned();
  void enter_listener();
  void leave_listener();
  void follow_listener();
  void go_idle();
  async::Task<void> serve();
  Received receive_head(Http1Exchange& exchange, message::Input& input);
  bool make_room(Http1Exchange& exchange, message::Input& input);
  static void keep_rest(Http1Exchange& exchange, message::Input& input);
  async::Task<bool> receive_proxy_header(message::Input& input);
  async::Task<void> conclude(Http1Exchange& exchange);
  async::Task<void> linger(message::Input& input);
  Next next_after(const Http1Exchange& exchange) const;
  bool finish_serving();
  const Settings& settings() const { return listener_->settings; }
  // By the last answer's route, until those of the listener change. A wait that has begun keeps its deadline.
  const Waits& waits() const {
    return route_waits_.generation == listener_->waits_generation ? route_waits_.waits : settings().waits;
  }
  async::EventLoop& loop() const { return connections_.services().loop; }

  Connections& connections_;
  std::shared_ptr<Listener> listener_;
  net::TcpStream stream_;
  async::Timer timer_;
  async::Task<void> serving_;
  Http1Exchange* exchange_ = nullptr;             // of `serve`, while it is handled
  net::ConnectionLinks<Http1Connection> links_;   // among the idle or the busy
  RouteWaits route_waits_;
  Peer peer_;
  State state_ = State::kIdle;
  bool close_ = false;   // after `serve`: close instead of going idle
  bool served_any_ = false;
  bool proxy_header_due_ = false;
};

}   // namespace proxyd::downstream
