#pragma once

#include <exception>
#include <memory>

#include "worker/async/act.h"
#include "worker/http2/session.h"
#include "worker/net/buffer_pool.h"
#include "worker/net/connection_list.h"
#include "worker/upstream/connection.h"

namespace proxyd::upstream {

class Http2Exchange;
class Target;

// HTTP/2 on a connection to a target, shared by the requests that are on it: moves octets between the stream and the
// session, tells exchanges what has come, and lets one after the other write. Owned by the target's Http2Connections,
// before the target's SETTINGS by the task that waits for them. Nothing suspends. Frames of one pass of the loop leave
// in one write; no more than one buffer of output waits (64 KiB), and of content 128 KiB a stream at most (see
// Session: one that stalls does not stop the others). Idle it holds no buffer.
//
// Requests that are cancelled are resets to the target, which may take many of them for an attack and end the
// connection with all that is on it. So after 50 in a window of 30 s it takes no request any more. Windows come one
// after the other, and 99 more may be on it then: at most 49 + 50 + 99 resets in any 30 s, below the 200 that Netty
// allows by default.
//
// It ends with the socket, with a fault of the target's, for want of an answer to SETTINGS or PING, and when it is idle
// for long or has to leave: after GOAWAY or many cancels, or when it is used up or old. Then it takes no request any
// more, those on it go on, and the last takes it along. Exchanges outlive its end: they find it over.
class Http2Connection {
 public:
  Http2Connection(Target& target, std::unique_ptr<Connection> connection);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;
  ~Http2Connection();

  // It is the target's now.
  void take_place() { listed_ = true; }
  // Begins to speak and to listen. From here on it hears of the socket by itself.
  void start();
  // Until the target's SETTINGS are there or it is over; false when the deadline passed first.
  async::WaitReady greeted(Deadline deadline);
  // SETTINGS are there and it is not over.
  bool takes_part() const { return session_.received_preface() && !over_; }
  bool was_greeted() const { return session_.received_preface(); }
  bool was_cut() const { return cut_; }

  // How many requests it takes now.
  size_t room() const;
  bool takes_another() const { return room() > 0; }
  // The target takes no stream at all on it.
  bool takes_none() const { return !is_leaving() && session_.peer_max_streams() == 0; }
  bool is_leaving() const;
  // It serves nobody to the end any more whom it does not serve already: GOAWAY, a fault, or it is over.
  bool ends() const { return over_ || session_.received_goaway() || session_.fault() != http2::Fault::kNone; }
  // The target has sent, on that stream, what no HTTP/2 server sends. The others lost their connection by it.
  bool broke_rules_on(const http2::Stream& stream) const;
  bool is_idle() const { return exchanges_.size() == 0 && !is_leaving(); }
  uint64_t served() const { return served_; }
  // Reads what has arrived and was not looked at yet.
  void catch_up();
  // Takes no request any more.
  void leave();

 private:
  friend class Http2Exchange;
  friend class Http2Connections;
  friend class net::ConnectionList<Http2Connection>;

  // For the exchanges.
  async::EventLoop& loop() const;
  bool over() const { return over_; }
  void join(Http2Exchange& exchange);
  void part(Http2Exchange& exchange);
  // A stream was reset from here.
  void note_cancel();
  // A stream for one of them, or null: it takes none any more, or the head is too large (`head_too_large`).
  http2::Stream* begin(const http2::OutgoingRequest& request, bool end, bool& head_too_large);
  // Room for a frame in the output; false: `wait_for_room`.
  bool has_room();
  bool has_output() const { return session_.has_output(); }
  void wait_for_room(Http2Exchange& exchange);
  // What the session has to say goes into the output, which leaves before the loop asks the kernel. How many octets.
  size_t produce();
  // Octets that have arrived at the target's side, and those that were to.
  uint64_t arrived() const;
  uint64_t produced() const { return written_ + waiting(); }

  void read();
  void receive(std::string_view octets);
  void walk_news();
  void flush();
  void write();
  void wake_next();
  void settle();
  void look();
  bool is_doubtful() const;
  bool has_died(Instant now) const;
  void end();
  void end_for(const std::exception& error);
  void bury();
  size_t waiting() const { return out_end_ - out_begin_; }

  template <auto method>
  using Act = async::Act<method, &Http2Connection::end_for>;

  Target& target_;
  std::unique_ptr<Connection> connection_;
  http2::Session session_;
  net::ConnectionList<Http2Exchange> exchanges_;
  net::ConnectionLinks<Http2Connection> links_;   // among the target's
  async::Signal greeted_;
  net::Buffer out_;
  size_t out_begin_ = 0;
  size_t out_end_ = 0;
  Act<&Http2Connection::read> reading_{*this};
  Act<&Http2Connection::flush> flushing_{*this};
  Act<&Http2Connection::look> looking_{*this};
  Act<&Http2Connection::bury> burying_{*this};
  async::Timer timer_{looking_};
  const Instant began_;
  Instant heard_;   // octets from the target
  Instant idle_since_;
  Instant pinged_{};        // and not heard since
  Instant blocked_since_;   // the target takes nothing
  uint64_t served_ = 0;
  Instant cancels_since_;
  int cancels_ = 0;   // since then
  uint64_t written_ = 0;
  mutable uint64_t arrived_ = 0;
  uint64_t turns_ = 0;
  int waiting_for_room_ = 0;   // exchanges
  bool blocked_ = false;
  bool broken_ = false;
  bool leaving_ = false;
  bool over_ = false;
  bool cut_ = false;
  bool listed_ = false;
};

}   // namespace proxyd::upstream
