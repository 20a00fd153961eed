#include "worker/upstream/connection.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>

#include "worker/upstream/target.h"

namespace proxyd::upstream {

Connection::Connection(Target& target)
    : Wakeup([](Wakeup& self) { static_cast<Connection&>(self).woken(); }),
      target_(target),
      idle_timer_(*this),
      created_(target.services().loop.now()) {
  target_.pool().opened(*this);
}

Connection::~Connection() {
  target_.pool().closed(*this);
  if (tls_) tls_->end_writing();
}

tls::TlsStream& Connection::secure(tls::ClientContext& context, tls::ClientContext::Offer offer) {
  tls_ = std::make_unique<tls::TlsStream>(tcp_, target_.services().buffers, context.connect(offer));
  return *tls_;
}

void Connection::move_to(State state) {
  const bool allowed = (state_ == State::kConnecting && state == State::kInUse) ||
                       (state_ == State::kInUse && state == State::kIdle) ||
                       (state_ == State::kIdle && state == State::kInUse) || state == State::kClosing;
  assert(allowed);
  (void)allowed;
  state_ = state;
}

void Connection::connected() { move_to(State::kInUse); }

// What was to end it while it was idle may be queued already, in this very pass.
void Connection::use() {
  move_to(State::kInUse);
  idle_timer_.disarm();
  unlink();
  tcp_.watched().when_readable().notify(nullptr);
  ++served_;
}

void Connection::rest(Deadline idle_until) {
  move_to(State::kIdle);
  tcp_.watched().when_readable().notify(this);
  target_.services().loop.timers().arm(idle_timer_, idle_until);
}

void Connection::close_after_use() { move_to(State::kClosing); }

// Idle, an event or the idle time ends it. But in TLS a server may have something to say to the client's TLS alone.
void Connection::woken() {
  if (tls_ && idle_timer_.armed() && !spoiled()) return;
  target_.pool().discard(*this);
}

// A flag that is not set tells that the loop has seen nothing since the last read met the end of what there was. One
// that is set may be old: then the socket itself is asked.
bool Connection::spoiled() {
  if (!tcp_.watched().readable()) return false;
  char octet;
  if (tls_) return tls_->read(&octet, 1).state != net::Moved::State::kWouldBlock;
  const ssize_t got = ::recv(tcp_.spliceable_descriptor(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) {
    tcp_.watched().exhausted();
    return false;
  }
  return true;
}

}   // namespace proxyd::upstream
