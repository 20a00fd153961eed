#pragma once

#include <memory>

#include "shared/base/result.h"
#include "shared/config/model.h"
#include "worker/async/signal.h"
#include "worker/async/task.h"
#include "worker/http1/head_parser.h"
#include "worker/net/connection_list.h"
#include "worker/upstream/exchange.h"

namespace proxyd::upstream {

class Connection;
class Http2Connection;
class Target;

// The HTTP/2 connections to one target, and who waits for one. Few of them: a request goes on the oldest that takes
// another, and the next is opened only when all are full; those who wait for it share it. At most 64 take requests, one
// opened after the other; with so many in all none is replaced for its cancels. A target that takes no streams at all
// (SETTINGS_MAX_CONCURRENT_STREAMS 0) gets no other connection either. One that fails is one failed connect, told to
// each who waited for it, who asks another target by its own retry rules; it counts as connected when the target's
// SETTINGS are there. Owned by the target; one thread.
class Http2Connections {
 public:
  explicit Http2Connections(Target& target);
  Http2Connections(const Http2Connections&) = delete;
  Http2Connections& operator=(const Http2Connections&) = delete;
  ~Http2Connections();   // … and of them

  // An exchange on a connection that takes another request now, or null. Who waits comes first.
  std::unique_ptr<Exchange> take(const std::shared_ptr<Target>& target, const http1::HeadRules& rules);
  // The same, waited for, in turn; null when the target has chosen HTTP/1.1. Suspends.
  async::Task<Result<std::unique_ptr<Exchange>, Fault>> open(std::shared_ptr<Target> target, http1::HeadRules rules,
                                                             Deadline deadline);
  // A connection on which HTTP/2 was chosen though it had been refused before.
  void adopt(std::unique_ptr<Connection> connection);
  // The target chose HTTP/1.1 when it was offered both.
  bool is_refused() const { return refused_; }
  // No connection outlives its last request.
  void retire();
  // Who waits is told that it is cut.
  void cut_waiting();

  // There are not so many already that leave, with what is still on them.
  bool may_replace_one() const;
  // For connections: a request has ended, or more are taken.
  void has_room();
  void became_idle();
  void remove(Http2Connection& connection);   // which goes

 private:
  struct Waiting;

  Http2Connection* find_room();
  size_t room() const;
  bool may_open_another() const;
  std::unique_ptr<Exchange> exchange_on(Http2Connection& connection, const std::shared_ptr<Target>& target,
                                        const http1::HeadRules& rules);
  async::Task<void> open_another(Deadline deadline);
  async::Task<void> greet(std::unique_ptr<Connection> connection, Deadline deadline);
  void opened(Fault fault);
  void tell_waiting(Fault fault);

  Target& target_;
  net::ConnectionList<Http2Connection> connections_;   // which it owns
  net::ConnectionList<Waiting> waiting_;
  async::Task<void> opening_;
  bool is_opening_ = false;
  bool refused_ = false;
};

}   // namespace proxyd::upstream
