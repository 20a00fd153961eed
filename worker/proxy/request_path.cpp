#include <new>

#include "worker/proxy/forward.h"
#include "worker/proxy/local_answer.h"
#include "worker/proxy/proxy.h"
#include "worker/proxy/request.h"

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

// The upstream of a route, or the one that its split draws.
const upstream::UpstreamGroup& upstream_of(const Request& request) {
  const uint32_t index = request.matched.route->index;
  if (!request.matched.route->split) return *request.configuration->route_upstream[index];
  const auto& groups = request.configuration->route_split[index];
  const auto usable = [&groups](size_t i) { return upstream::Balancer::has_eligible(*groups[i]); };
  return *groups[request.matched.route->split->draw(request.facts, usable)];
}

// Finds host and route, as far as there are any.
void match(Request& request) {
  request.matched = request.configuration->matcher.find(request.facts);
  if (request.matched.route) request.total = Deadline::after(request.began, request.timeouts().total);
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

    // what a reverse proxy does not hand on; PURGE is of a host with the key `purge`, which comes with the cache
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
    if (request.head.method == http::Method::kPurge) {
      co_await answer_error(request, 405, ProxyError::kNone, {}, false);
      co_return;
    }

    // match the route; HTTP/1.0 without Host is for the host "*" alone
    match(request);
    if (!request.matched.host && request.facts.host.empty()) {
      co_await answer_refused(request, http::Refusal::kHostMissing, 0);
      co_return;
    }
    if (!request.matched.route) {
      route_misses.add();
      co_await answer_error(request, 404, ProxyError::kNone, {}, false);
      co_return;
    }

    // limits
    const http1::Fault too_much = head_fault(request);
    if (too_much.refusal != http::Refusal::kNone) {
      co_await answer_refused(request, too_much.refusal, too_much.offset);
      co_return;
    }
    if (is_too_large(request)) {
      co_await answer_refused(request, http::Refusal::kBodyTooLarge, 0);
      co_return;
    }

    // local answers
    const config::Route& route = request.matched.route->settings;
    if (route.redirect) {
      co_await answer_redirect(request);
    } else if (route.respond) {
      co_await answer_fixed(request);
    } else if (route.ready) {
      co_await answer_ready(request);
    } else {
      // forward, within the retry budget, and hand the response on
      co_await forward(request, upstream_of(request));
    }
  } catch (const http::ArenaExhausted&) {
    failure = 500;
  } catch (const std::bad_alloc&) {
    failure = 503;
  }
  if (failure != 0) co_await answer_without_memory(request, failure);
}

}   // namespace proxyd::proxy
