#pragma once

#include <exception>

#include "worker/async/act.h"
#include "worker/downstream/connections.h"
#include "worker/downstream/http2_exchange.h"
#include "worker/http2/session.h"
#include "worker/net/connection_list.h"

namespace proxyd::downstream {

class Connection;

// HTTP/2 on a client's connection: moves octets between the stream and the session, has each request answered by a task
// of its own, and decides who may write next. Owned by Connection, from the handshake to the end. Frames of one pass of
// the loop leave in one write. It stops reading while the client does not take what it is sent, so no more than one
// buffer of output waits (64 KiB), whatever is asked for; content waits where it comes from. Idle it holds no buffer.
//
// Who writes next: the most urgent, of those one after the other, and in turns where the client can use parts
// (RFC 9218 10).
class Http2Connection {
 public:
  explicit Http2Connection(Connection& connection);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection();   // and of every request that still runs

  // Begins to speak and to listen. From here on it hears of the socket by itself.
  void start();
  // The client is asked to open no more streams; those that run are finished, then the connection is over.
  void drain();

 private:
  friend class Http2Exchange;
  // For the exchanges.
  const Connection& connection() const { return connection_; }
  async::EventLoop& loop() const;
  // Room for a frame in the output; false: `wait_for_room`.
  bool has_room();
  // Octets that have arrived at the client's side.
  uint64_t arrived() const;
  bool others_wait() const { return waiting_for_room_ > 0; }
  bool has_output() const { return session_.has_output(); }
  void wait_for_room(Http2Exchange& exchange);
  // What the session has to say goes into the output, which leaves before the loop asks the kernel. How many octets.
  size_t produce();
  void forget(Http2Exchange& exchange);

  void read();
  bool ignores_client() const;
  void receive(std::string_view octets);
  void walk_news();
  void begin(http2::Stream& stream);
  void flush();
  void write();
  void wake_next();
  void become_busy();
  void settle();
  void look();
  bool has_lingered(Instant now);
  bool give_up(Instant now);
  void end();
  void end_for(const std::exception& error);
  void watch_progress(Instant now);
  size_t waiting() const { return out_end_ - out_begin_; }

  template <auto method>
  using Act = async::Act<method, &Http2Connection::end_for>;

  Connection& connection_;
  http2::Session session_;
  net::ConnectionList<Http2Exchange> exchanges_;
  net::Buffer out_;
  size_t out_begin_ = 0;
  size_t out_end_ = 0;
  Act<&Http2Connection::read> reading_{*this};
  Act<&Http2Connection::flush> flushing_{*this};
  Act<&Http2Connection::look> looking_{*this};
  async::Timer timer_{looking_};
  Instant began_;
  Instant idle_since_;
  Instant frame_began_;     // of the one that is not whole
  Instant blocked_since_;   // the client takes nothing
  Instant drain_began_;     // or the end
  Instant lingers_since_;
  uint64_t written_ = 0;
  mutable uint64_t arrived_ = 0;
  uint64_t arrived_when_blocked_ = 0;
  uint64_t frames_ = 0;
  uint64_t turns_ = 0;
  int waiting_for_room_ = 0;   // exchanges
  bool blocked_ = false;
  bool broken_ = false;
  bool ending_ = false;   // all is said; the client's end is awaited
  bool idle_ = false;
  bool said_last_stream_ = false;
};

}   // namespace proxyd::downstream
