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
  return head.fields.value(http::FieldName::kMaxForwards) == "0";
}

bool is_too_large(const Request& request) {
  const config::MaybeSize most = request.matched.route->settings.limits.request_body;
  return most && request.head.content.kind == http::ContentLength::Kind::kKnown && request.head.content.bytes > *most;
}

// The upstream of a route, or the one that its split draws.
const upstream::UpstreamGroup& upstream_of(const Request& request) {
  const uint32_t index = request.matched.route->index;
  if (!request.matched.route->split) return *request.configuration->route_upstream[index];
  const auto& groups = request.configuration->route_split[index];
  const auto usable = [&groups](size_t i) { return upstream::Balancer::has_eligible(*groups[i]); };
  return *groups[request.matched.route->split->draw(request.facts, usable)];
}

}  // namespace

async::Task<void> Proxy::handle(downstream::Exchange& exchange) {
  Request request(*this, exchange);

  // refused before anything was known of it
  if (exchange.fault().refusal != http::Refusal::kNone) {
    co_await answer_refusal(request);
    co_return;
  }
  request.resolve();

  // methods that a reverse proxy does not hand on
  if (request.head.method == http::Method::kTrace) {
    count_reject(http::Refusal::kTrace);
    co_await answer_error(request, 405, ProxyError::kNone, "trace", false);
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
  if (request.head.method == http::Method::kPurge) {   // of a host with the key `purge`, which comes with the cache
    co_await answer_error(request, 405, ProxyError::kNone, {}, false);
    co_return;
  }

  // match the route
  request.matched = request.configuration->matcher.find(request.facts);
  if (request.matched.host) request.record.host_name = request.matched.host->settings.name;
  if (!request.matched.host && request.facts.host.empty()) {   // HTTP/1.0 without Host is for the host "*" alone
    co_await answer_error(request, 400, ProxyError::kRequestError, "host_missing", true);
    co_return;
  }
  if (!request.matched.route) {
    route_misses.add();
    co_await answer_error(request, 404, ProxyError::kNone, {}, false);
    co_return;
  }
  const config::Route& route = request.matched.route->settings;
  request.record.route = route.name;
  request.total = Deadline::after(request.began, route.timeouts.total);

  // limits
  if (is_too_large(request)) {
    count_reject(http::Refusal::kBodyTooLarge);
    co_await answer_error(request, 413, ProxyError::kRequestError, "body_too_large", true);
    co_return;
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

  // forward, within the retry budget, and hand the response on
  co_await forward(request, upstream_of(request));
}

}  // namespace proxyd::proxy
