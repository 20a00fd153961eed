#include "worker/proxy/local_answer.h"

#include <algorithm>

#include "worker/http/status.h"
#include "worker/net/text_content.h"
#include "worker/proxy/error_response.h"
#include "worker/proxy/grpc_answer.h"
#include "worker/proxy/relay/relay_content.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;
using Kind = http::ContentLength::Kind;

constexpr milliseconds kUsualMaintenance{60'000};   // where nobody knows its end

// Sends a body that lies in the arena or the configuration.
async::Task<void> answer(Request& request, int status, http::Fields& fields, std::string_view body, bool close) {
  fields.add(FieldName::kDate, request.proxy.date());
  if (const http::Fields* more = request.answer_fields()) {
    for (const http::Field& field : *more) fields.set(field.name, field.value);
  }
  const http::ContentLength content{Kind::kKnown, body.size()};
  if (!request.begin_answer(status, {}, fields, content, close)) {
    request.exchange.reset();
    co_return;
  }
  net::TextContent text(request.loop(), http::may_have_content(request.head.method, status) ? body : "");
  RelayLimits limits{Pace(std::nullopt, 0), Pace(request.timeouts().client_write, kSlowestClient)};
  limits.total = request.total;
  Relay relay(request.loop(), text, request.exchange.sink(), limits);
  const bool ended = relay.go_on();   // most go at once
  Relayed relayed = relay.relayed();
  if (!ended) relayed = co_await relay_content(relay);
  if (relayed.end == Relayed::End::kComplete) co_return;
  if (relayed.end == Relayed::End::kSinkTimeout) request.proxy.count_timeout(Phase::kClientWrite);
  if (relayed.end == Relayed::End::kTotalTimeout) request.proxy.count_timeout(Phase::kTotal);
  if (request.error.empty()) request.fail(ProxyError::kClientGone);
  request.exchange.reset();
}

// What a Location may not hold as it is (RFC 3986 2): octets outside of visible ASCII are percent-encoded, and the
// backslash, which browsers take for a slash, so that "/\host" would lead elsewhere.
std::string_view as_location(std::string_view text, http::Arena& arena) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  char* to = arena.allocate_text(text.size() * 3);
  char* at = to;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet > 0x20 && octet < 0x7F && c != '\\') {
      *at++ = c;
    } else {
      *at++ = '%';
      *at++ = kDigits[octet >> 4];
      *at++ = kDigits[octet & 15];
    }
  }
  return {to, static_cast<size_t>(at - to)};
}

ErrorAnswer error_answer(Request& request, int status, ProxyError error, std::string_view detail) {
  const routing::HostEntry* host = request.matched.host;
  return make_error_answer(status, error, detail, request.identity.request_id, request.head.fields,
                           host ? host->error_pages.find(status) : nullptr, request.arena());
}

}   // namespace

async::Task<void> answer_error(Request& request, int status, ProxyError error, std::string_view detail, bool close) {
  if (error != ProxyError::kNone) request.fail(error);
  if (request.exchange.begun()) {   // too late for another answer: cut it
    request.exchange.reset();
    co_return;
  }
  if (is_grpc(request.head)) {
    http::Fields fields = make_grpc_answer(status, error, detail, request.head.fields, request.arena());
    co_await answer(request, 200, fields, {}, close);
    co_return;
  }
  ErrorAnswer made = error_answer(request, status, error, detail);
  if (status == 405) made.fields.add("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
  co_await answer(request, status, made.fields, made.body, close);
}

async::Task<void> answer_closed(Request& request) {
  if (is_grpc(request.head)) {
    co_await answer_error(request, 503, ProxyError::kNone, "maintenance", false);
    co_return;
  }
  const int64_t until_ms = request.matched.host->closed->until_ms;
  const int64_t left_ms = until_ms == 0 ? kUsualMaintenance.count() : until_ms - request.proxy.wall_clock_ms();
  const auto seconds_left = static_cast<uint64_t>(std::max<int64_t>((left_ms + 999) / 1000, 1));
  ErrorAnswer made = error_answer(request, 503, ProxyError::kNone, "maintenance");
  made.fields.set(to_string(FieldName::kRetryAfter), request.arena().number(seconds_left));
  co_await answer(request, 503, made.fields, made.body, false);
}

async::Task<void> answer_unauthenticated(Request& request, std::string_view challenge) {
  if (is_grpc(request.head)) {
    co_await answer_error(request, 401, ProxyError::kRequestDenied, {}, false);
    co_return;
  }
  request.fail(ProxyError::kRequestDenied);
  ErrorAnswer made = error_answer(request, 401, ProxyError::kRequestDenied, {});
  made.fields.add("WWW-Authenticate", challenge);
  co_await answer(request, 401, made.fields, made.body, false);
}

// A message that is refused: counted, kept, answered. Only TRACE does not cost the connection.
async::Task<void> answer_refused(Request& request, http::Refusal refusal, size_t offset) {
  request.note_refusal(refusal, offset, request.exchange.received_head());
  co_await answer_error(request, status_of(refusal), ProxyError::kRequestError, http::to_string(refusal),
                        refusal != http::Refusal::kTrace);
}

async::Task<void> answer_without_memory(Request& request, int status) {
  request.fail(ProxyError::kInternalError);
  if (request.exchange.begun()) {
    request.exchange.reset();
    co_return;
  }
  http::Arena spare;
  http::Fields fields(spare);
  fields.add(FieldName::kContentType, "text/plain");
  fields.add(FieldName::kDate, request.proxy.date());
  request.status = status;
  const std::string_view body = status == 503 ? "out of memory\n" : "the request needs too much memory\n";
  const bool begun = request.exchange.begin({status, {}, {}, &fields, {Kind::kKnown, body.size()}, true});
  if (!begun) co_return;
  if (request.head.method != http::Method::kHead) (void)request.exchange.sink().take(net::Piece::bytes(body), true);
  (void)request.exchange.sink().finish(nullptr);
}

async::Task<void> answer_json(Request& request, int status, std::string_view body) {
  http::Fields fields(request.arena());
  fields.add(FieldName::kContentType, "application/json");
  fields.add(FieldName::kCacheControl, "no-store");
  co_await answer(request, status, fields, body, false);
}

async::Task<void> answer_redirect(Request& request) {
  http::Fields fields(request.arena());
  fields.add(FieldName::kLocation,
             as_location(request.matched.route->redirect->render(request.facts, request.arena()), request.arena()));
  co_await answer(request, request.matched.route->settings.redirect->status, fields, {}, false);
}

// To the port of https, since nobody says on which other one it might be.
async::Task<void> answer_to_https(Request& request) {
  http::Arena& arena = request.arena();
  const http::Target& target = request.head.target;
  http::Fields fields(arena);
  std::string_view to = arena.concat("https://", request.facts.host, target.path);
  if (target.has_query) to = arena.concat(to, "?", target.query);
  fields.add(FieldName::kLocation, as_location(to, arena));
  co_await answer(request, request.matched.host->settings.force_https->status, fields, {}, false);
}

async::Task<void> answer_fixed(Request& request) {
  const config::Respond& respond = *request.matched.route->settings.respond;
  http::Fields fields(request.arena());
  if (!respond.body.empty()) fields.add(FieldName::kContentType, respond.content_type);
  co_await answer(request, respond.status, fields, respond.body, false);
}

async::Task<void> answer_ready(Request& request) {
  const bool welcome = request.proxy.status().ready().load(std::memory_order_relaxed) != 0;
  const bool ready = welcome && !request.proxy.draining();
  http::Fields fields(request.arena());
  fields.add(FieldName::kContentType, "text/plain; charset=utf-8");
  fields.add(FieldName::kCacheControl, "no-store");
  co_await answer(request, ready ? 200 : 503, fields, ready ? "ready\n" : "draining\n", false);
}

async::Task<void> answer_options(Request& request) {
  http::Fields fields(request.arena());
  fields.add("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH");
  co_await answer(request, 200, fields, {}, false);
}

}   // namespace proxyd::proxy
