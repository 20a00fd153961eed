#include "worker/downstream/http1_requests.h"

#include "shared/config/head_limits.h"
#include "worker/downstream/http1_exchange.h"

namespace proxyd::downstream {
namespace {

constexpr size_t kHeadBuffer = 4096;
constexpr auto kLinger = milliseconds(2000);
constexpr int kRequestsPerTurn = 16;   // pipelined ones; then others get theirs (RS-009)
constexpr int kLingeringReads = 64;    // a turn

enum class Next : uint8_t { kIdle, kAnother, kClose, kCloseAfterLinger };
enum class Received : uint8_t { kRequest, kPending, kNothingYet, kEnd };

// What came behind the request's content begins the next one.
void keep_rest(Http1Exchange& exchange, message::Input& input) {
  message::Input& rest = exchange.reader().rest();
  if (&rest != &input) input = std::move(rest);
  if (input.empty()) input.release();
}

bool make_room(Http1Exchange& exchange, message::Input& input) {
  const std::string_view before = input.unread();
  if (!input.make_room(config::kLargestHead)) {
    exchange.refuse(http::Refusal::kHeaderSize);
    return false;
  }
  exchange.rebase(before, input.unread().data());
  return true;
}

// kNothingYet: the connection goes idle, which holds no frame and no buffer. kPending: in the middle of a head. One
// that is too large gives a request that is refused.
Received receive_head(net::Stream& stream, Http1Exchange& exchange, message::Input& input) {
  bool parse = !input.empty();
  for (;;) {
    if (parse && exchange.parse() != http1::Progress::kNeedMore) return Received::kRequest;
    if (input.full() && !make_room(exchange, input)) return Received::kRequest;
    const net::Moved moved = input.read(stream, kHeadBuffer);
    parse = moved.state == net::Moved::State::kSome;
    if (parse) continue;
    if (moved.state != net::Moved::State::kWouldBlock) return Received::kEnd;
    if (!input.empty()) return Received::kPending;
    input.release();
    return Received::kNothingYet;
  }
}

// What the handler left in the writer goes out; a handler that gave no answer costs the connection.
async::Task<void> conclude(Connection& connection, Http1Exchange& exchange) {
  while (!exchange.was_reset() && exchange.begun()) {
    const net::Taken flushed = exchange.writer().flush();
    if (flushed.state != net::Taken::State::kBlocked) co_return;
    const bool ready = co_await connection.stream().writable(
        Deadline::after(connection.loop().now(), connection.waits().client_write));
    if (!ready) exchange.reset();
  }
}

// Where HTTP/2 may begin at once, first octets that are no request line of HTTP/1 may as well be a preface gone wrong,
// whose sender waits for the end of the connection and not for an answer (RFC 9113 3.4).
bool is_broken_preface(const Connection& connection, const Http1Exchange& exchange) {
  if (connection.settings().tls || !connection.settings().protocols.h2c || connection.has_served()) return false;
  const http::Refusal refusal = exchange.fault().refusal;
  const bool no_request_line = refusal == http::Refusal::kRequestLine || refusal == http::Refusal::kVersion ||
                               refusal == http::Refusal::kVersionUnsupported;
  return no_request_line && exchange.received_head().find(" HTTP/1") == std::string_view::npos;
}

Next next_after(const Connection& connection, const Http1Exchange& exchange) {
  if (exchange.was_reset() || !exchange.answered() || exchange.is_tunnel()) return Next::kClose;
  if (exchange.persistent() && !connection.is_ending()) return Next::kAnother;
  return Next::kCloseAfterLinger;
}

// The peer may still be sending: were its octets met by a reset, the answer could be lost on its way (RFC 9112 9.6).
// How much comes is not limited, for whoever uploads at speed has filled all buffers on the way before it reads.
async::Task<void> linger(Connection& connection, message::Input& input) {
  net::Stream& stream = connection.stream();
  stream.end_writing();
  const Deadline deadline = Deadline::at(connection.loop().now() + kLinger);
  for (int read = 1; !deadline.passed(connection.loop().now()); ++read) {
    input.release();
    const net::Moved moved = input.read(stream, kHeadBuffer);
    if (moved.state == net::Moved::State::kSome) {
      if (read % kLingeringReads == 0) co_await async::Yield();
      continue;
    }
    if (moved.state != net::Moved::State::kWouldBlock) co_return;
    input.release();
    const bool ready = co_await stream.readable(deadline);
    if (!ready) co_return;
  }
}

}   // namespace

async::Task<void> serve_http1(Connection& connection) {
  Services& services = connection.services();
  net::Stream& stream = connection.stream();
  message::Input input(services.buffers);
  connection.close_after_serving(true);   // unless it ends well
  Next next = Next::kAnother;
  for (int served = 1; next == Next::kAnother; ++served) {
    connection.follow_listener();
    const http1::HeadRules rules = connection.settings().head;
    Http1Exchange exchange({stream, services.buffers, services.pipes, connection.peer(), connection.connections(),
                            connection.listener(), connection.route_waits()},
                           rules, input);
    const Deadline deadline = Deadline::after(services.loop.now(), connection.waits().client_header);
    Received received = receive_head(stream, exchange, input);
    while (received == Received::kPending) {
      const bool ready = co_await stream.readable(deadline);
      received = ready ? receive_head(stream, exchange, input) : Received::kRequest;
      if (ready) continue;
      services.head_timeouts.add();
      exchange.refuse(http::Refusal::kHeaderTimeout);
    }
    next = received == Received::kEnd ? Next::kClose : Next::kIdle;
    if (received != Received::kRequest) break;
    if (is_broken_preface(connection, exchange)) {
      services.http2.counters.connection_errors[static_cast<size_t>(http2::Fault::kPreface)].add();
      next = Next::kCloseAfterLinger;
      break;
    }
    const Connection::Serving serving(connection, exchange);
    co_await services.handler.handle(exchange);
    if (!exchange.writer().finished()) co_await conclude(connection, exchange);
    next = next_after(connection, exchange);
    keep_rest(exchange, input);
    if (next == Next::kAnother && input.empty() && !stream.watched().readable()) next = Next::kIdle;
    if (served % kRequestsPerTurn == 0) co_await async::Yield();
  }
  if (next == Next::kCloseAfterLinger) co_await linger(connection, input);
  connection.close_after_serving(next != Next::kIdle);
}

}   // namespace proxyd::downstream
