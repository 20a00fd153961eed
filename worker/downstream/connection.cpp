#include "worker/downstream/connection.h"

#include <sys/socket.h>

#include <exception>

#include "worker/downstream/http1_exchange.h"
#include "worker/downstream/http1_requests.h"
#include "worker/downstream/http2_connection.h"

namespace proxyd::downstream {
namespace {

constexpr auto kHalfClosedWait = milliseconds(2000);

}   // namespace

Connection::Connection(Connections& connections, std::shared_ptr<Listener> listener)
    : Wakeup([](Wakeup& self) { static_cast<Connection&>(self).woken(); }),
      connections_(connections),
      listener_(std::move(listener)),
      timer_(*this) {
  listener_->opened_total.add();
  enter_listener();
}

Connection::~Connection() {
  http2_.reset();   // its requests go before what they use
  leave_listener();
}

void Connection::enter_listener() {
  ++listener_->open;
  listener_->open_gauge.add();
  peer_.listener = listener_->name;
}

void Connection::leave_listener() {
  --listener_->open;
  listener_->open_gauge.subtract();
}

// A new snapshot may have given the socket to another listener.
void Connection::follow_listener() {
  while (listener_->successor) {
    leave_listener();
    listener_ = std::shared_ptr<Listener>(listener_->successor);
    enter_listener();
  }
}

bool Connection::start(UniqueFd socket, const sockaddr_storage& peer) {
  peer_.set_address(net::Address::from(peer));
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  ::getsockname(socket.value(), reinterpret_cast<sockaddr*>(&local), &size);
  peer_.local = net::Address::from(local);
  opened_ = settings().proxy_protocol == config::ProxyProtocol::kOff && !settings().tls && !settings().protocols.h2c;
  if (!tcp_.start(loop(), std::move(socket))) return false;
  tcp_.watched().when_readable().notify(this);
  request_due_ = Deadline::after(loop().now(), waits().client_header);
  loop().timers().arm(timer_, request_due_);
  return true;
}

void Connection::woken() {
  if (state_ == State::kIdle) {
    if (!tcp_.watched().readable()) {   // the timer
      const bool tls_due = settings().tls && !tls_;
      (served_any_ ? services().keepalive_timeouts
       : tls_due   ? services().tls.timeouts
                   : services().head_timeouts)
          .add();
      return close();
    }
    timer_.disarm();
    tcp_.watched().when_readable().notify(nullptr);
    tcp_.watched().when_hung_up().notify(this);
    connections_.become_busy(*this);
    close_ = false;
    if (!begin_serving()) return close();
    if (tcp_.watched().peer_closed() && !serving_.done()) (void)is_abandoned();
    return;
  }
  if (!serving_.done()) {
    if (is_abandoned()) close();   // the request ends where it stands
  } else if (finish_serving()) {
    chose_http2_ ? start_http2() : go_idle();
  } else {
    close();
  }
}

// False when there is no memory for it.
bool Connection::begin_serving() {
  try {
    serving_ = opened_ ? serve_http1(*this) : open();
  } catch (const std::bad_alloc&) {
    return false;
  }
  serving_.wake_at_end(*this);
  return true;
}

// A client that closed its side may be gone or may still want its answer: only a reset of what we send would tell. One
// whose request has come to a standstill on our side is taken for gone, so that no origin works on for nobody. A tunnel
// may stay half closed.
bool Connection::is_abandoned() {
  if (tcp_.watched().broken()) return true;
  if (timer_.armed() || (exchange_ && exchange_->is_tunnel())) return false;
  if (exchange_ && !exchange_->has_moved() && tcp_.watched().writable()) return true;
  loop().timers().arm(timer_, Deadline::at(loop().now() + kHalfClosedWait));
  return false;
}

// Takes the result of `serve`; false when the connection is to be closed.
bool Connection::finish_serving() {
  try {
    serving_.take();
  } catch (const std::exception& error) {
    services().unhandled_exceptions.add();
    services().log.error("a request ended in an exception, its connection is closed: {}", error.what());
    tcp_.abort_on_close();
    close_ = true;
  }
  serving_.cancel();
  return !close_ && (!served_any_ || !is_ending());   // a connection in good faith gets its one answer
}

void Connection::go_idle() {
  connections_.become_idle(*this);
  tcp_.watched().when_hung_up().notify(nullptr);
  tcp_.watched().when_readable().notify(this);
  if (std::exchange(waits_anew_, false))
    request_due_ = Deadline::after(loop().now(), served_any_ ? waits().keepalive : waits().client_header);
  loop().timers().arm(timer_, request_due_);
  if (tcp_.watched().readable()) loop().ready().push(*this);
}

// From here on the socket's news are HTTP/2's.
void Connection::start_http2() {
  timer_.disarm();
  try {
    http2_ = std::make_unique<Http2Connection>(*this);
    http2_->start();
  } catch (const std::bad_alloc&) {
    close();
  }
}

void Connection::become_idle() {
  served_any_ = true;
  connections_.become_idle(*this);
}

void Connection::become_busy() { connections_.become_busy(*this); }

void Connection::become_ending() { connections_.become_ending(*this); }

// In TLS the end is said, so that the client does not take it for an attack (RFC 8446 6.1).
void Connection::close() {
  if (tls_ && !exchange_) tls_->stream.end_writing();
  connections_.close(*this);
}

}   // namespace proxyd::downstream
