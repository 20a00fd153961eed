#include <new>

#include "worker/caching/cache_status.h"
#include "worker/caching/invalidation.h"
#include "worker/proxy/admission.h"
#include "worker/proxy/answer_in_slices.h"
#include "worker/proxy/authenticate.h"
#include "worker/proxy/background.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/client_deadline.h"
#include "worker/proxy/failure.h"
#include "worker/proxy/fetch.h"
#include "worker/proxy/invalidate.h"
#include "worker/proxy/local_answer.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/proxy.h"
#include "worker/proxy/purge.h"
#include "worker/proxy/relay_rest.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored_answer.h"
#include "worker/proxy/tunnel.h"
#include "worker/routing/closed_host.h"
#include "worker/routing/https_only.h"
#include "worker/tls/server_context.h"

// The path of a request, top to bottom. The connection has received its head and checked target and framing; here it is
// matched, answered by us or forwarded, and logged when `request` goes.
namespace proxyd::proxy {
namespace {

bool ends_here(const http::RequestHead& head) {
  if (head.method != http::Method::kOptions) return false;
  if (head.target.form == http::TargetForm::kAsterisk) return true;
  const std::string_view hops = head.fields.value(http::FieldName::kMaxForwards);
  return !hops.empty() && hops.find_first_not_of('0') == std::string_view::npos;
}

bool is_too_large(const Request& request) {
  const config::MaybeSize most = request.matched.route->settings.limits.request_body;
  return most && request.head.content.kind == http::ContentLength::Kind::kKnown && request.head.content.bytes > *most;
}

// A head is received within the limits of `defaults`, for nothing is known of its host yet; the route's may be
// stricter.
http1::Fault head_fault(const Request& request) {
  const config::Limits& limits = request.matched.route->settings.limits;
  const http::HeadSize& size = request.head.size;
  const size_t section_start = size.start + size.line + 2;
  if (limits.request_line && size.line > *limits.request_line)
    return {http::Refusal::kUriTooLong, size.start + *limits.request_line};
  if (limits.request_headers && size.section > *limits.request_headers)
    return {http::Refusal::kHeaderSize, section_start + *limits.request_headers};
  if (limits.header_count && size.field_lines > *limits.header_count)
    return {http::Refusal::kHeaderCount, section_start + size.section};
  return {};
}

// Finds host and route, as far as there are any.
void match(Request& request) {
  request.matched = request.configuration->matcher.find(request.facts);
  if (!request.matched.route) return;
  request.total = request.shared_total = Deadline::after(request.began, request.timeouts().total);
}

// Where the upstream is sticky and the client is not where it was, it is told where it is now.
void add_sticky_cookie(Request& request, const Fetch& fetch, http::Fields& fields) {
  if (!request.configuration->has_affinities) return;
  const Affinity& affinity = request.configuration->affinities[fetch.group().index];
  if (!affinity.is_sticky() || fetch.member().mark.empty()) return;
  const auto before = request.belongs.member;
  if (before && request.proxy.balancer().keeps(fetch.group(), *before)) return;   // only this one went elsewhere
  const bool secure = request.facts.scheme == http::Scheme::kHttps;
  fields.add(http::FieldName::kSetCookie, affinity.cookie_for(fetch.member(), secure, request.arena()));
}

// In TLS, for a host that the connection was not made for, or that is none of ours (RFC 9110 15.5.20).
bool is_misdirected(const Request& request) {
  const downstream::TlsFacts* tls = request.peer.tls;
  if (!tls) return false;
  // By what is in force now, not by what was when the connection was made.
  const auto& contexts = request.configuration->listener_tls;
  const auto now = contexts.find(request.facts.listener);
  const tls::ServerContext& context = now == contexts.end() ? *tls->context : *now->second;
  return !request.matched.host || !context.may_serve(*tls->accepted, request.facts.host);
}

// The response's fields become what the client is to see.
void adapt(Request& request, Attempt& attempt) {
  http::ResponseHead& response = attempt.exchange().response();
  if (attempt.uploading() && response.status >= 300) attempt.stop_upload();   // RFC 9112 9.5
  const bool keep_length = request.head.method == http::Method::kHead || response.status == 304;
  adapt_response_fields(response, keep_length, request.arena());
}

// The answer came before the upload's end, which is worth a moment where the answer could be stored; or it ended
// unseen.
bool may_end_upload(Attempt& attempt, const CacheVisit& visit, caching::Moment sent) {
  if (!attempt.has_upload()) return false;
  return !attempt.uploading() || visit.would_store(attempt.exchange().response(), sent);
}

// Begins the answer with the response's head. False when it can't be.
bool begin_response(Request& request, Fetch& fetch, const std::optional<CacheVisit>& visit) {
  Attempt& attempt = fetch.attempt();
  http::ResponseHead& response = attempt.exchange().response();
  add_sticky_cookie(request, fetch, response.fields);
  if (!response.fields.has(http::FieldName::kDate)) response.fields.add(http::FieldName::kDate, request.proxy.date());
  if (visit && request.configuration->document.cache_status)
    response.fields.add(http::FieldName::kCacheStatus, caching::cache_status_member(visit->status(), request.arena()));
  return request.begin_answer(response.status, response.reason, response.fields, response.content, attempt.uploading());
}

// A response on its way while the request's content still comes: when that fails, nobody will get the rest of either.
async::Task<Relayed> relay_beside_upload(Request& request, Relay relay, Attempt& attempt) {
  async::Task<Relayed> response = relay_content(relay);
  co_await attempt.upload_or(response);
  const bool failed = !response.done() && attempt.after_upload() != Attempt::Outcome::kResponse;
  if (failed) {
    note_failed_upload(request, attempt.upload());
    co_return Relayed{.end = Relayed::End::kSinkFailed};
  }
  const Relayed relayed = co_await response;
  co_return relayed;
}

}   // namespace

async::Task<void> Proxy::handle(downstream::Exchange& exchange) {
  Request request(*this, exchange);
  int failure = 0;
  try {
    // refused before anything was known of it
    const http1::Fault fault = exchange.fault();
    if (fault.refusal != http::Refusal::kNone) {
      co_await answer_refused(request, fault.refusal, fault.offset);
      co_return;
    }
    request.resolve();

    // what a reverse proxy does not hand on
    if (request.head.method == http::Method::kTrace) {
      co_await answer_refused(request, http::Refusal::kTrace, 0);
      co_return;
    }
    if (is_loop(request.head.fields)) {
      loops.add();
      co_await answer_error(request, 508, ProxyError::kLoop, {}, true);
      co_return;
    }
    if (ends_here(request.head)) {
      co_await answer_options(request);
      co_return;
    }

    // match the route; HTTP/1.0 without Host is for the host "*" alone
    match(request);
    if (is_misdirected(request)) {
      misdirected.add();
      co_await answer_error(request, 421, ProxyError::kNone, {}, false);
      co_return;
    }
    if (request.head.method == http::Method::kPurge) {
      co_await answer_purge(request);
      co_return;
    }
    if (!request.matched.host && request.facts.host.empty()) {
      co_await answer_refused(request, http::Refusal::kHostMissing, 0);
      co_return;
    }
    if (routing::is_closed_to(request.matched, request.facts)) {
      co_await answer_closed(request);
      co_return;
    }
    if (routing::must_be_https(request.matched, request.facts)) {
      co_await answer_to_https(request);
      co_return;
    }
    if (!request.matched.route) {
      route_misses.add();
      co_await answer_error(request, 404, ProxyError::kNone, {}, false);
      co_return;
    }

    // limits, and how long the client waits
    if (!take_client_deadline(request)) {
      co_await answer_error(request, 400, ProxyError::kRequestError, "malformed deadline", false);
      co_return;
    }
    const http1::Fault too_much = head_fault(request);
    if (too_much.refusal != http::Refusal::kNone) {
      co_await answer_refused(request, too_much.refusal, too_much.offset);
      co_return;
    }
    if (is_too_large(request)) {
      co_await answer_refused(request, http::Refusal::kBodyTooLarge, 0);
      co_return;
    }

    // access and rates
    const config::Route& route = request.matched.route->settings;
    if (routing::is_ambiguous(route, request.head.target)) {
      co_await answer_refused(request, http::Refusal::kUriEncodedSlash, request.head.size.start);
      co_return;
    }
    const RouteGuard* const guard = guard_of(request);
    if (const Denial denial = guard ? admit(request, *guard) : Denial()) {
      co_await answer_denied(request, denial);
      co_return;
    }
    if (!route.auth.empty()) {
      const bool admitted = co_await authenticate(request);
      if (!admitted) co_return;
    }

    // local answers
    if (route.redirect) {
      co_await answer_redirect(request);
      co_return;
    }
    if (route.respond) {
      co_await answer_fixed(request);
      co_return;
    }
    if (route.ready) {
      co_await answer_ready(request);
      co_return;
    }

    // what the cache has, or who fetches it; or this request has to, for all who want the same
    const Origin origin = origin_of(*request.configuration, *request.matched.route, request.facts, loop_.now());
    take_affinity(request, origin.group);
    const caching::Policy* policy = request.configuration->route_policy[request.matched.route->index];
    if (policy && policy->slice) {
      const InSlices came_to = co_await answer_in_slices(request, *policy, origin);
      if (came_to == InSlices::kAnswered) co_return;
      if (came_to == InSlices::kAsAsked) policy = policy->of_each_slice.get();
    }
    std::optional<CacheVisit> visit;
    bool stored = false;
    if (policy) {
      visit.emplace(request, *policy, origin.partition);
      CacheVisit::Next next = visit->look();
      while (next == CacheVisit::Next::kWait) {
        co_await visit->wait();
        next = visit->look();
      }
      if (next == CacheVisit::Next::kGatewayTimeout) {
        co_await answer_error(request, 504, ProxyError::kNone, "not in the cache", false);
        co_return;
      }
      stored = next == CacheVisit::Next::kServe;
    }

    // rates of what origins are asked for
    if (const Denial denial = guard && !stored ? admit_to_origin(request, *guard) : Denial()) {
      if (visit) visit->release_claims();
      co_await answer_denied(request, denial);
      co_return;
    }

    // ask a target of the upstream, and others, within the retry budget; the cache takes what is its own of the answer
    std::optional<Fetch> fetch;
    for (bool ask = !stored; ask;) {
      if (visit) request.ask_with(visit->begin_asking());
      fetch.emplace(request, origin.group);
      const caching::Moment sent = visit ? moment() : caching::Moment();
      Fetch::Outcome fetched = co_await fetch->run();
      if (fetched == Fetch::Outcome::kResponse) {
        adapt(request, fetch->attempt());
        if (caching::is_unsafe(request.head)) {
          const auto invalidated = co_await invalidate(request, fetch->attempt().exchange().response());
          if (visit && invalidated) visit->note_own_purge(*invalidated);
        }
        if (visit && may_end_upload(fetch->attempt(), *visit, sent)) fetched = co_await fetch->end_of_upload();
      }
      if (fetched != Fetch::Outcome::kResponse) {
        stored = visit && visit->try_stale_if_error(fetch->failed_by_origin());
        if (stored) break;
        if (visit) visit->release_claims();   // before the client has to be waited for
        co_await answer_failure(request, *fetch, fetched);
        co_return;
      }
      const bool whole = !fetch->attempt().uploading();   // else the answer needs the connection's other half
      const auto then =
          visit && whole ? visit->take(fetch->attempt().exchange().response(), sent) : CacheVisit::Then::kRelay;
      stored = then == CacheVisit::Then::kServe;
      ask = then == CacheVisit::Then::kAskAgain;
    }

    if (visit) visit->release_claims();

    // hand on what is stored, though it may still be coming in
    if (stored) {
      StoredAnswer answer(request, *visit);
      if (!answer.begin()) {
        exchange.reset();
        co_return;
      }
      if (visit->is_new()) visit->begin_fill(fetch->attempt().hand_over(), answer.filled());
      fetch.reset();
      if (visit->wants_validation()) validate_in_background(request);
      if (!request.throttle() && answer.leaves_at_once(exchange.sink())) co_return;   // most do
      answer.release_heads();
      Relay relay(loop_, answer.content(), exchange.sink(), answer.limits());
      const bool ended = relay.go_on();
      Relayed relayed = relay.relayed();
      if (!ended) relayed = co_await relay_content(relay);
      if (const auto rest = answer.rest(relayed)) relayed = co_await relay_rest(request, origin.group, *rest);
      cut_response(request, origin.group, relayed);
      co_return;
    }

    // hand the response on: its head, then a tunnel, or content and trailers as they come
    Attempt& attempt = fetch->attempt();
    if (!begin_response(request, *fetch, visit)) {
      exchange.reset();
      co_return;
    }
    if (visit) visit->release_stored();
    if (attempt.exchange().response().status == 101) {
      co_await run_tunnel(request, attempt.exchange());
      if (attempt.exchange().when_cut().is_set()) fetch->count_cut();
      co_return;
    }
    FilteredContent content(attempt.exchange().response_content(), request.arena());
    Relay relay(loop_, content, exchange.sink(), attempt.response_limits());
    const bool ended = relay.go_on();   // what came with the head leaves without a frame of its own
    Relayed relayed = relay.relayed();
    if (!ended && attempt.has_upload()) {
      relayed = co_await relay_beside_upload(request, relay, attempt);
    } else if (!ended) {
      relayed = co_await relay_content(relay);
    }
    if (relayed.end == Relayed::End::kCut) fetch->count_cut();
    attempt.report_end(relayed);
    cut_response(request, origin.group, relayed);
  } catch (const http::ArenaExhausted&) {
    failure = 500;
  } catch (const std::bad_alloc&) {
    failure = 503;
  }
  if (failure != 0) co_await answer_without_memory(request, failure);
}

}   // namespace proxyd::proxy
