#include "worker/downstream/http2_exchange.h"

#include <array>
#include <exception>

#include "worker/downstream/connection.h"
#include "worker/downstream/http2_connection.h"
#include "worker/http/status.h"

namespace proxyd::downstream {

using net::Taken;

namespace {

constexpr size_t kTurn = 16 * 1024;

}   // namespace

Http2Exchange::Http2Exchange(Http2Connection& connection, http2::Stream& stream)
    : Wakeup([](Wakeup& self) { static_cast<Http2Exchange&>(self).ended(); }),
      connection_(connection),
      stream_(stream) {
  stream_.owner = this;
}

// The task goes first: it may still look at the stream.
Http2Exchange::~Http2Exchange() {
  task_.cancel();
  stream_.owner = nullptr;
  stream_.release();
}

const Peer& Http2Exchange::peer() const { return connection_.connection().peer(); }

void Http2Exchange::start() {
  task_ = connection_.connection().services().handler.handle(*this);
  task_.wake_at_end(*this);
}

// An answer that was not given or not ended costs the client its stream alone.
void Http2Exchange::ended() {
  try {
    task_.take();
  } catch (const std::exception& error) {
    Services& services = connection_.connection().services();
    services.unhandled_exceptions.add();
    services.log.error("a request ended in an exception, its stream is reset: {}", error.what());
    stream_.reset(http2::ErrorCode::kInternalError);
  }
  if (!stream_.sent_all()) {
    connection_.produce();   // the end may have been waiting for room alone
    if (!stream_.sent_all()) stream_.reset(http2::ErrorCode::kInternalError);
  }
  connection_.forget(*this);   // and this is gone
}

void Http2Exchange::hear(http2::News news) {
  using http2::News;
  async::ReadyQueue& ready = connection_.loop().ready();
  if (holds(news, News::kContent | News::kEnd | News::kReset | News::kClosed)) arrived_.raise(ready);
  if (holds(news, News::kRoom | News::kReset) && awaits_window_) {
    awaits_window_ = false;
    room_.raise(ready);
  }
}

void Http2Exchange::wake_for_room() { room_.raise(connection_.loop().ready()); }

bool Http2Exchange::awaits_continue() const {
  const bool begun_to_send = stream_.content_received() > 0 || stream_.received_all();
  return request().expects_continue && !continue_sent_ && !begun_ && !begun_to_send;
}

void Http2Exchange::send_interim(const http::ResponseHead& head) {
  if (head.status == 100) {
    if (!awaits_continue()) return;
    continue_sent_ = true;
    stream_.submit_interim(100, nullptr);
  } else {
    stream_.submit_interim(head.status, &head.fields);
  }
  octets_sent_ += connection_.produce();
}

bool Http2Exchange::begin(const Answer& answer) {
  begun_ = true;
  const bool has_content = http::may_have_content(request().method, answer.status) && !answer.content.is_empty();
  const bool submitted = stream_.submit_head(
      {.status = answer.status, .lines = answer.lines, .fields = answer.fields, .content = answer.content},
      !has_content);
  return submitted || stream_.is_reset() || stream_.is_closed();
}

void Http2Exchange::reset() {
  if (awaits_window_) connection_.connection().services().http2.window_stalls.add();
  stream_.reset(http2::ErrorCode::kCancel);
  connection_.produce();
}

net::Offer Http2Exchange::Content::offer(net::PieceKinds) {
  using State = net::Offer::State;
  http2::Stream& stream = exchange_.stream_;
  if (exchange_.awaits_continue()) {
    http::ResponseHead go_on(exchange_.arena());
    go_on.status = 100;
    exchange_.send_interim(go_on);
  }
  if (const std::string_view octets = stream.content(); !octets.empty()) {
    const bool last = stream.received_all() && !stream.trailers() && octets.size() == stream.content_waiting();
    return {.state = State::kPiece, .piece = net::Piece::bytes(octets), .last = last};
  }
  if (stream.is_reset()) {
    const bool malformed = stream.refusal() != http::Refusal::kNone;
    return {.state = State::kFailed, .fault = malformed ? net::ContentFault::kMalformed : net::ContentFault::kReset};
  }
  if (stream.received_all()) return {.state = State::kEnd};
  exchange_.arrived_.set(false);
  return {.state = State::kPending};
}

void Http2Exchange::Content::consumed(uint64_t octets) {
  if (octets == 0) return;
  exchange_.stream_.consume(static_cast<size_t>(octets));
  exchange_.connection_.produce();   // the window
}

async::WaitReady Http2Exchange::Content::more(Deadline deadline) {
  return {exchange_.connection_.loop(), exchange_.arrived_, deadline};
}

// Until there is room, or a window, whatever it is that lacks.
Taken Http2Exchange::blocked(uint64_t octets) {
  room_.set(false);
  return {Taken::State::kBlocked, octets};
}

Taken Http2Exchange::Sink::take(const net::Piece& piece, bool last) {
  http2::Stream& stream = exchange_.stream_;
  if (stream.is_reset() || stream.is_closed()) return {Taken::State::kFailed};
  if (!exchange_.connection_.has_room()) {
    exchange_.connection_.wait_for_room(exchange_);
    return exchange_.blocked(0);
  }
  std::array<std::string_view, net::kMostRanges> pieces;
  size_t count = 0;
  pieces[count++] = {piece.data, piece.size};
  for (const std::string_view range : piece.more) {
    if (count == pieces.size()) return {Taken::State::kFailed};
    pieces[count++] = range;
  }
  // Of what the client can use in parts, others get theirs in between (RFC 9218 10).
  const bool in_turns = stream.priority().incremental && exchange_.connection_.others_wait();
  const bool cut = in_turns && piece.size > kTurn;
  if (cut) pieces[0] = pieces[0].substr(0, kTurn);
  stream.offer(std::span(pieces).first(cut ? 1 : count), last && !cut);
  exchange_.octets_sent_ += exchange_.connection_.produce();
  const http2::Taken taken = stream.taken();
  switch (taken.stop) {
    case http2::Taken::Stop::kNone:
      if (!cut) return {Taken::State::kMore, taken.octets};
      exchange_.connection_.wait_for_room(exchange_);
      break;
    case http2::Taken::Stop::kRoom: exchange_.connection_.wait_for_room(exchange_); break;
    case http2::Taken::Stop::kWindow: exchange_.awaits_window_ = true; break;
    case http2::Taken::Stop::kGone: return {Taken::State::kFailed, taken.octets};
  }
  return exchange_.blocked(taken.octets);
}

uint64_t Http2Exchange::passed_by() const {
  return awaits_room_ ? passed_ + connection_.arrived() - waits_from_ : passed_;
}

Taken Http2Exchange::Sink::finish(const http::Fields* trailers) {
  exchange_.finishing_ = true;
  exchange_.stream_.finish(trailers);
  return flush();
}

Taken Http2Exchange::Sink::flush() {
  http2::Stream& stream = exchange_.stream_;
  if (stream.is_reset()) return {Taken::State::kFailed};
  if (exchange_.connection_.has_room()) {
    exchange_.octets_sent_ += exchange_.connection_.produce();
    if (stream.sent_all()) return {Taken::State::kMore};
    if (exchange_.finishing_) {
      stream.wait_for_window();
      exchange_.awaits_window_ = true;
      return exchange_.blocked(0);
    }
    if (!exchange_.connection_.has_output()) return {Taken::State::kMore};
  }
  if (stream.sent_all()) return {Taken::State::kMore};
  exchange_.connection_.wait_for_room(exchange_);
  return exchange_.blocked(0);
}

async::WaitReady Http2Exchange::Sink::room(Deadline deadline) {
  return {exchange_.connection_.loop(), exchange_.room_, deadline};
}

}   // namespace proxyd::downstream
