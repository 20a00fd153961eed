#include "worker/downstream/http1_exchange.h"

#include "worker/http/status.h"
#include "worker/http1/framing.h"
#include "worker/http1/request_check.h"

namespace proxyd::downstream {

using Kind = http::ContentLength::Kind;

http1::Progress Http1Exchange::parse() {
  try {
    return parse_head();
  } catch (const http::ArenaExhausted&) {
    refuse(http::Refusal::kHeaderSize);
    return http1::Progress::kRefused;
  }
}

http1::Progress Http1Exchange::parse_head() {
  const std::string_view received = input_.unread();
  http1::Progress progress = parser_.parse(received);
  if (progress == http1::Progress::kNeedMore) return progress;
  fault_ = parser_.fault();
  received_head_ = received;
  if (progress == http1::Progress::kComplete) {
    received_head_ = received.substr(0, parser_.consumed());
    request_.scheme = context_.peer.scheme;
    fault_.refusal = http1::check_request(request_, parser_.target_text());
    client_persists_ = http1::is_persistent(request_.version, request_.connection);
    input_.consume(parser_.consumed());
  }
  if (fault_.refusal != http::Refusal::kNone) return http1::Progress::kRefused;
  reader_.start(request_.content);
  return progress;
}

void Http1Exchange::refuse(http::Refusal refusal) {
  received_head_ = input_.unread();
  fault_ = {refusal, received_head_.size()};
}

bool Http1Exchange::awaits_continue() const {
  const bool begun_to_send = reader_.received() > 0 || !input_.empty();
  return request_.expects_continue && !continue_sent_ && !begun_ && !begun_to_send;
}

void Http1Exchange::send_continue() {
  continue_sent_ = true;
  writer_.head([](http1::Serializer& serializer) { serializer.append("HTTP/1.1 100 Continue\r\n\r\n"); });
  (void)writer_.flush();   // a client that does not take it shows when it is written to next
}

void Http1Exchange::send_interim(const http::ResponseHead& head) {
  if (request_.version == http::Version::kHttp10) return;
  if (head.status == 100) {
    if (awaits_continue()) send_continue();
    return;
  }
  writer_.head([&head](http1::Serializer& serializer) {
    serializer.response_head(head.status, head.reason, &head.fields, {}, {.framing = false});
  });
  (void)writer_.flush();
}

// What little is left of a request that is answered before its content was read is taken in, so that the connection
// can live on; more than that, or what would have to be waited for, costs the connection (RFC 9112 9.3).
bool Http1Exchange::content_is_settled() {
  constexpr uint64_t kMostDiscarded = 64 * 1024;
  uint64_t discarded = 0;
  while (!reader_.complete() && discarded < kMostDiscarded && !request_.expects_continue) {
    const net::Offer offer = reader_.offer(net::PieceKinds::kBytes);
    if (offer.state != net::Offer::State::kPiece) break;
    discarded += offer.piece.size;
    reader_.consumed(offer.piece.size);
  }
  return reader_.complete();
}

bool Http1Exchange::is_persistent(const Answer& answer) {
  if (answer.close || !client_persists_ || context_.connections.draining() || context_.listener.gone) return false;
  if (fault_.refusal != http::Refusal::kNone && fault_.refusal != http::Refusal::kTrace) return false;
  return content_is_settled();
}

// A client of HTTP/1.0 knows no chunks: content of unknown length goes until close (RFC 9112 6.1, 6.3). Where there is
// none, as HTTP/2 says by ending with the head, that has to be said.
http::ContentLength Http1Exchange::framing_for(const Answer& answer) const {
  if (answer.content.kind == Kind::kNone && http::may_have_content(request_.method, answer.status))
    return {Kind::kKnown, 0};
  const bool length_unknown = answer.content.kind == Kind::kUnknown || answer.content.kind == Kind::kUntilClose;
  if (!length_unknown) return answer.content;
  return {request_.version == http::Version::kHttp10 ? Kind::kUntilClose : Kind::kUnknown};
}

bool Http1Exchange::begin(const Answer& answer) {
  begun_ = true;
  if (answer.waits) context_.waits = {*answer.waits, waits_generation_};
  tunnel_ = answer.content.kind == Kind::kTunnel;
  const http::ContentLength content = framing_for(answer);
  persistent_ = !tunnel_ && content.kind != Kind::kUntilClose && is_persistent(answer);
  const bool no_framing = answer.status == 204 || answer.status == 304 || answer.status < 200;
  const http1::Serializer::ResponseOptions options{.downstream = request_.version,
                                                   .keep_alive = persistent_,
                                                   .upgrade_websocket = tunnel_,
                                                   .framing = !no_framing,
                                                   .lines = answer.lines};
  const bool written = writer_.head([&](http1::Serializer& serializer) {
    serializer.response_head(answer.status, answer.reason, answer.fields, content, options);
  });
  // HEAD has the framing fields of GET and no content (RFC 9110 9.3.2).
  const bool has_content = tunnel_ || http::may_have_content(request_.method, answer.status);
  writer_.start(has_content ? content : http::ContentLength{});
  if (tunnel_) reader_.start({Kind::kTunnel});
  return written;
}

void Http1Exchange::reset() {
  reset_ = true;
  context_.stream.abort_on_close();
}

}   // namespace proxyd::downstream
