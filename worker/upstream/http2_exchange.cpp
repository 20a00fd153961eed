#include "worker/upstream/http2_exchange.h"

#include <array>

#include "shared/config/head_limits.h"
#include "worker/upstream/http2_connection.h"

namespace proxyd::upstream {

using net::Taken;

Http2Exchange::Http2Exchange(std::shared_ptr<Target> target, Http2Connection& connection, const http1::HeadRules& rules)
    : target_(std::move(target)), connection_(connection), rules_(rules), reused_(connection.served() > 0) {
  connection_.join(*this);
}

// What is under way is reset: CANCEL.
Http2Exchange::~Http2Exchange() {
  if (stream_) {
    const bool was_whole = stream_->sent_all() && stream_->received_all();
    if (!was_whole && !stream_->reset_by_peer()) connection_.note_cancel();
    stream_->owner = nullptr;
    stream_->release();
  }
  connection_.part(*this);
}

// The scheme is that of the connection to the target, as nginx has it (RFC 9113 8.3.1 leaves it open): there are
// servers that refuse another. What the client used is said in Forwarded and X-Forwarded-Proto.
bool Http2Exchange::begin(const Request& request) {
  bool head_too_large = false;
  begins_at_ = connection_.produced();
  stream_ = connection_.begin({.method = request.method_text,
                               .scheme = target_->tls() ? "https" : "http",
                               .authority = request.host,
                               .path = request.target,
                               .protocol = {},
                               .fields = request.fields,
                               .content = request.content},
                              request.content.is_empty(), head_too_large);
  if (stream_) {
    stream_->owner = this;
  } else {   // it has filled or ended since it was chosen
    unread_ = true;
    arrived_.set(true);
  }
  return !head_too_large;
}

bool Http2Exchange::gone() const { return !stream_ || stream_->is_reset() || connection_.over(); }

void Http2Exchange::hear(http2::News news) {
  using http2::News;
  async::ReadyQueue& ready = connection_.loop().ready();
  has_head_ = has_head_ || holds(news, News::kHead);
  unsent_ = unsent_ || holds(news, News::kUnsent);
  unread_ = true;
  if (holds(news, News::kHead | News::kInterim | News::kContent | News::kEnd | News::kReset | News::kClosed))
    arrived_.raise(ready);
  const bool ends = holds(news, News::kReset | News::kClosed);
  if (ends || (holds(news, News::kRoom) && awaits_window_)) {
    awaits_window_ = false;
    room_.raise(ready);
  }
}

void Http2Exchange::hear_end(bool cut) {
  async::ReadyQueue& ready = connection_.loop().ready();
  unread_ = true;
  if (cut) cut_.raise(ready);
  arrived_.raise(ready);
  room_.raise(ready);
}

void Http2Exchange::wake_for_room() { room_.raise(connection_.loop().ready()); }

async::WaitReady Http2Exchange::readable(Deadline deadline) { return {connection_.loop(), arrived_, deadline}; }

// As HTTP/1 would have it: "name: value" and the end of the line.
bool Http2Exchange::is_too_large(const http::ResponseHead& head) const {
  if (rules_.max_section >= config::kLargestHead) return false;
  size_t size = 0;
  for (const http::Field& field : head.fields) size += field.name.size() + field.value.size() + 4;
  return size > rules_.max_section;
}

Fault Http2Exchange::receive_head() {
  if (stream_) {
    if (const http::ResponseHead* interim = stream_->next_interim()) {
      response_.emplace(*interim);
      return Fault::kNone;
    }
    refusal_ = stream_->refusal();
    if (has_head_ && refusal_ == http::Refusal::kNone) {
      response_.emplace(stream_->response());
      has_response_ = true;
      if (!is_too_large(*response_)) return Fault::kNone;
      refusal_ = http::Refusal::kHeaderSize;
      return Fault::kMalformed;
    }
  }
  if (gone()) return ended();
  unread_ = false;
  arrived_.set(false);
  return Fault::kPending;
}

Fault Http2Exchange::ended() {
  if (cut_.is_set()) return Fault::kCut;
  if (!stream_) return Fault::kGoingAway;
  if (unsent_) return connection_.ends() ? Fault::kGoingAway : Fault::kRefused;
  if (connection_.over() && connection_.written_ <= begins_at_) return Fault::kGoingAway;   // its head never left
  if (connection_.broke_rules_on(*stream_)) refusal_ = http::Refusal::kHttp2Connection;
  return refusal_ == http::Refusal::kNone ? Fault::kClosedUnanswered : Fault::kMalformed;
}

// In TLS nobody can tell which of the octets that were written have arrived.
bool Http2Exchange::request_untaken() const {
  if (!stream_ || unsent_) return true;
  return connection_.over() && (target_->tls() ? connection_.written_ : connection_.arrived()) <= begins_at_;
}

// -- the response's content

net::Offer Http2Exchange::Content::offer(net::PieceKinds) {
  using State = net::Offer::State;
  http2::Stream& stream = *exchange_.stream_;
  if (const std::string_view octets = stream.content(); !octets.empty()) {
    const bool last = stream.received_all() && !stream.trailers() && octets.size() == stream.content_waiting();
    return {.state = State::kPiece, .piece = net::Piece::bytes(octets), .last = last};
  }
  const bool malformed = stream.refusal() != http::Refusal::kNone;
  if (stream.received_all() && !malformed) return {.state = State::kEnd};
  if (stream.is_reset()) {
    const bool by_rules = malformed || exchange_.connection_.broke_rules_on(stream);
    return {.state = State::kFailed, .fault = by_rules ? net::ContentFault::kMalformed : net::ContentFault::kReset};
  }
  if (exchange_.connection_.over()) return {.state = State::kFailed, .fault = net::ContentFault::kClosed};
  exchange_.arrived_.set(false);
  return {.state = State::kPending};
}

void Http2Exchange::Content::consumed(uint64_t octets) {
  if (octets == 0) return;
  exchange_.stream_->consume(static_cast<size_t>(octets));
  if (exchange_.connection_.has_output()) exchange_.connection_.produce();   // the window
}

// -- the request's content

// Until there is room, or a window, whatever it is that lacks.
Taken Http2Exchange::blocked(uint64_t octets) {
  room_.set(false);
  return {Taken::State::kBlocked, octets};
}

uint64_t Http2Exchange::passed_by() const {
  return awaits_room_ ? passed_ + connection_.arrived() - waits_from_ : passed_;
}

Taken Http2Exchange::Sink::take(const net::Piece& piece, bool last) {
  if (exchange_.gone()) return {Taken::State::kFailed};
  if (!exchange_.connection_.has_room()) {
    if (exchange_.gone()) return {Taken::State::kFailed};
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
  http2::Stream& stream = *exchange_.stream_;
  stream.offer(std::span(pieces).first(count), last);
  exchange_.octets_sent_ += exchange_.connection_.produce();
  const http2::Taken taken = stream.taken();
  switch (taken.stop) {
    case http2::Taken::Stop::kNone: return {Taken::State::kMore, taken.octets};
    case http2::Taken::Stop::kRoom: exchange_.connection_.wait_for_room(exchange_); break;
    case http2::Taken::Stop::kWindow: exchange_.awaits_window_ = true; break;
    case http2::Taken::Stop::kGone: return {Taken::State::kFailed, taken.octets};
  }
  return exchange_.blocked(taken.octets);
}

Taken Http2Exchange::Sink::finish(const http::Fields* trailers) {
  if (exchange_.gone()) return {Taken::State::kFailed};
  exchange_.finishing_ = true;
  if (!exchange_.stream_->sent_all()) exchange_.stream_->finish(trailers);
  return flush();
}

Taken Http2Exchange::Sink::flush() {
  if (exchange_.gone()) return {Taken::State::kFailed};
  http2::Stream& stream = *exchange_.stream_;
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

}   // namespace proxyd::upstream
