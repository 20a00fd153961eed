#include "worker/downstream/http1_connection.h"

#include <sys/socket.h>

#include <exception>

#include "shared/config/head_limits.h"
#include "worker/downstream/http1_exchange.h"
#include "worker/net/proxy_protocol.h"

namespace proxyd::downstream {
namespace {

constexpr size_t kHeadBuffer = 4096;
constexpr auto kLinger = milliseconds(2000);
constexpr auto kHalfClosedWait = milliseconds(2000);
constexpr int kRequestsPerTurn = 16;   // pipelined ones; then others get theirs (RS-009)
constexpr int kLingeringReads = 64;    // a turn

}   // namespace

Http1Connection::Http1Connection(Connections& connections, std::shared_ptr<Listener> listener)
    : Wakeup([](Wakeup& self) { static_cast<Http1Connection&>(self).woken(); }),
      connections_(connections),
      listener_(std::move(listener)),
      timer_(*this) {
  listener_->opened_total.add();
  enter_listener();
}

Http1Connection::~Http1Connection() { leave_listener(); }

void Http1Connection::enter_listener() {
  ++listener_->open;
  listener_->open_gauge.add();
  peer_.listener = listener_->name;
}

void Http1Connection::leave_listener() {
  --listener_->open;
  listener_->open_gauge.subtract();
}

// A new snapshot may have given the socket to another listener.
void Http1Connection::follow_listener() {
  while (listener_->successor) {
    leave_listener();
    listener_ = std::shared_ptr<Listener>(listener_->successor);
    enter_listener();
  }
}

bool Http1Connection::start(UniqueFd socket, const sockaddr_storage& peer) {
  peer_.set_address(net::Address::from(peer));
  sockaddr_storage local{};
  socklen_t size = sizeof local;
  ::getsockname(socket.value(), reinterpret_cast<sockaddr*>(&local), &size);
  peer_.local = net::Address::from(local);
  proxy_header_due_ = settings().proxy_protocol != config::ProxyProtocol::kOff;
  if (!stream_.start(loop(), std::move(socket))) return false;
  stream_.watched().when_readable().notify(this);
  loop().timers().arm(timer_, Deadline::after(loop().now(), waits().client_header));
  return true;
}

void Http1Connection::woken() {
  if (state_ == State::kIdle) {
    if (!stream_.watched().readable()) {   // the timer
      Services& services = connections_.services();
      (served_any_ ? services.keepalive_timeouts : services.head_timeouts).add();
      return connections_.close(*this);
    }
    timer_.disarm();
    stream_.watched().when_readable().notify(nullptr);
    stream_.watched().when_hung_up().notify(this);
    state_ = State::kServing;
    connections_.become_busy(*this);
    close_ = false;
    if (!begin_serving()) return connections_.close(*this);
    if (stream_.watched().peer_closed() && !serving_.done()) (void)is_abandoned();
    return;
  }
  if (!serving_.done()) {
    if (is_abandoned()) connections_.close(*this);   // the request ends where it stands
  } else if (finish_serving()) {
    go_idle();
  } else {
    connections_.close(*this);
  }
}

// False when there is no memory for it.
bool Http1Connection::begin_serving() {
  try {
    serving_ = serve();
  } catch (const std::bad_alloc&) {
    return false;
  }
  serving_.wake_at_end(*this);
  return true;
}

// A client that closed its side may be gone or may still want its answer: only a reset of what we send would tell. One
// whose request has come to a standstill on our side is taken for gone, so that no origin works on for nobody. A tunnel
// may stay half closed.
bool Http1Connection::is_abandoned() {
  if (stream_.watched().broken()) return true;
  if (timer_.armed() || (exchange_ && exchange_->is_tunnel())) return false;
  if (exchange_ && !exchange_->has_moved() && stream_.watched().writable()) return true;
  loop().timers().arm(timer_, Deadline::at(loop().now() + kHalfClosedWait));
  return false;
}

// Takes the result of `serve`; false when the connection is to be closed.
bool Http1Connection::finish_serving() {
  try {
    serving_.take();
  } catch (const std::exception& error) {
    connections_.services().unhandled_exceptions.add();
    connections_.services().log.error("a request ended in an exception, its connection is closed: {}", error.what());
    stream_.abort_on_close();
    close_ = true;
  }
  serving_.cancel();
  return !close_ && !connections_.draining() && !listener_->gone;
}

void Http1Connection::go_idle() {
  state_ = State::kIdle;
  connections_.become_idle(*this);
  stream_.watched().when_hung_up().notify(nullptr);
  stream_.watched().when_readable().notify(this);
  loop().timers().arm(timer_, Deadline::after(loop().now(), served_any_ ? waits().keepalive : waits().client_header));
  if (stream_.watched().readable()) loop().ready().push(*this);
}

// Requests one after the other, each from its first octet to the last of its answer.
async::Task<void> Http1Connection::serve() {
  Services& services = connections_.services();
  message::Input input(services.buffers);
  close_ = true;   // unless it ends well
  if (proxy_header_due_) {
    const bool ok = co_await receive_proxy_header(input);
    if (!ok) co_return;
    proxy_header_due_ = false;
  }
  Next next = Next::kAnother;
  for (int served = 1; next == Next::kAnother; ++served) {
    follow_listener();
    const http1::HeadRules rules = settings().head;
    Http1Exchange exchange({stream_, services.buffers, services.pipes, peer_, connections_, *listener_, route_waits_},
                           rules, input);
    const Deadline deadline = Deadline::after(loop().now(), waits().client_header);
    Received received = receive_head(exchange, input);
    while (received == Received::kPending) {
      const bool ready = co_await stream_.readable(deadline);
      received = ready ? receive_head(exchange, input) : Received::kRequest;
      if (ready) continue;
      services.head_timeouts.add();
      exchange.refuse(http::Refusal::kHeaderTimeout);
    }
    next = received == Received::kEnd ? Next::kClose : Next::kIdle;
    if (received != Received::kRequest) break;
    const Serving serving(*this, exchange);
    co_await services.handler.handle(exchange);
    if (!exchange.writer().finished()) co_await conclude(exchange);
    next = next_after(exchange);
    keep_rest(exchange, input);
    if (next == Next::kAnother && input.empty() && !stream_.watched().readable()) next = Next::kIdle;
    if (served % kRequestsPerTurn == 0) co_await async::Yield();
  }
  if (next == Next::kCloseAfterLinger) co_await linger(input);
  close_ = next != Next::kIdle;
}

// What came behind the request's content begins the next one.
void Http1Connection::keep_rest(Http1Exchange& exchange, message::Input& input) {
  message::Input& rest = exchange.reader().rest();
  if (&rest != &input) input = std::move(rest);
  if (input.empty()) input.release();
}

// kNothingYet: the connection goes idle, which holds no frame and no buffer. kPending: in the middle of a head. One
// that is too large gives a request that is refused.
Http1Connection::Received Http1Connection::receive_head(Http1Exchange& exchange, message::Input& input) {
  bool parse = !input.empty();
  for (;;) {
    if (parse && exchange.parse() != http1::Progress::kNeedMore) return Received::kRequest;
    if (input.full() && !make_room(exchange, input)) return Received::kRequest;
    const net::Moved moved = input.read(stream_, kHeadBuffer);
    parse = moved.state == net::Moved::State::kSome;
    if (parse) continue;
    if (moved.state != net::Moved::State::kWouldBlock) return Received::kEnd;
    if (!input.empty()) return Received::kPending;
    input.release();
    return Received::kNothingYet;
  }
}

bool Http1Connection::make_room(Http1Exchange& exchange, message::Input& input) {
  const std::string_view before = input.unread();
  if (!input.make_room(config::kLargestHead)) {
    exchange.refuse(http::Refusal::kHeaderSize);
    return false;
  }
  exchange.rebase(before, input.unread().data());
  return true;
}

async::Task<bool> Http1Connection::receive_proxy_header(message::Input& input) {
  using State = net::ProxyHeader::State;
  const Deadline deadline = Deadline::after(loop().now(), waits().client_header);
  const bool trusted = settings().trusts && settings().trusts(peer_.address());
  const auto accepted = static_cast<net::ProxyHeaderKind>(settings().proxy_protocol);
  for (;;) {
    const net::ProxyHeader header = net::parse_proxy_header(input.unread(), accepted);
    const bool decided = !input.empty() && header.state != State::kNeedMore;
    if (decided && !trusted && header.state == State::kAbsent) co_return true;   // speaks HTTP for itself
    if (decided && trusted && header.state == State::kPresent) {
      if (header.source) peer_.set_address(*header.source);
      if (header.destination) peer_.local = *header.destination;
      input.consume(header.octets);
      co_return true;
    }
    if (decided) break;
    const net::Moved moved = input.read(stream_, kHeadBuffer);
    if (moved.state == net::Moved::State::kSome) continue;
    if (moved.state != net::Moved::State::kWouldBlock) break;
    const bool ready = co_await stream_.readable(deadline);
    if (!ready) break;
  }
  connections_.services().proxy_protocol_bad.add();
  stream_.abort_on_close();
  co_return false;
}

// What the handler left in the writer goes out; a handler that gave no answer costs the connection.
async::Task<void> Http1Connection::conclude(Http1Exchange& exchange) {
  while (!exchange.was_reset() && exchange.begun()) {
    const net::Taken flushed = exchange.writer().flush();
    if (flushed.state != net::Taken::State::kBlocked) co_return;
    const bool ready = co_await stream_.writable(Deadline::after(loop().now(), waits().client_write));
    if (!ready) exchange.reset();
  }
}

Http1Connection::Next Http1Connection::next_after(const Http1Exchange& exchange) const {
  if (exchange.was_reset() || !exchange.answered() || exchange.is_tunnel()) return Next::kClose;
  if (exchange.persistent() && !connections_.draining() && !listener_->gone) return Next::kAnother;
  return Next::kCloseAfterLinger;
}

// The peer may still be sending: were its octets met by a reset, the answer could be lost on its way (RFC 9112 9.6).
// How much comes is not limited, for whoever uploads at speed has filled all buffers on the way before it reads.
async::Task<void> Http1Connection::linger(message::Input& input) {
  stream_.end_writing();
  const Deadline deadline = Deadline::at(loop().now() + kLinger);
  for (int read = 1; !deadline.passed(loop().now()); ++read) {
    input.release();
    const net::Moved moved = input.read(stream_, kHeadBuffer);
    if (moved.state == net::Moved::State::kSome) {
      if (read % kLingeringReads == 0) co_await async::Yield();
      continue;
    }
    if (moved.state != net::Moved::State::kWouldBlock) co_return;
    input.release();
    const bool ready = co_await stream_.readable(deadline);
    if (!ready) co_return;
  }
}

}   // namespace proxyd::downstream
