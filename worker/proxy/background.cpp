#include "worker/proxy/background.h"

#include "worker/caching/hit_for_miss.h"
#include "worker/caching/rest.h"
#include "worker/proxy/ask_origin.h"
#include "worker/proxy/origin.h"
#include "worker/proxy/own_exchange.h"
#include "worker/proxy/slice.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using http::FieldName;

constexpr size_t kMostTasks = 1024;   // fills and questions of a worker that nobody waits for

// Nobody asks an origin again that has just failed: meanwhile the claim is held.
async::Sleep rest_after_failure(async::EventLoop& loop) {
  return {loop, Deadline::at(loop.now() + milliseconds(caching::kPassAfterFailure))};
}

// Finds again what the request was for, by the configuration of now. Null when that caches nothing any more.
const caching::Policy* find_policy(Request& request) {
  request.resolve();
  request.matched = request.configuration->matcher.find(request.facts);
  if (!request.matched.route) return nullptr;
  request.total = request.shared_total = Deadline::after(request.began, request.timeouts().total);
  return request.configuration->route_policy[request.matched.route->index];
}

async::Task<void> validate(Proxy& proxy, std::unique_ptr<OwnExchange> exchange) {
  Request request(proxy, *exchange, Request::Kind::kInBackground);
  const caching::Policy* policy = find_policy(request);
  if (!policy) co_return;
  const Origin origin = origin_of(*request.configuration, *request.matched.route, request.facts, request.loop().now());
  take_affinity(request, origin.group);
  CacheVisit visit(request, *policy, origin.partition);
  visit.insist_on_validation();
  if (visit.look() != CacheVisit::Next::kAskOrigin || !visit.owns()) co_return;   // somebody else does
  std::optional<Fetch> fetch;
  const OwnAnswer answer = co_await ask_origin(request, visit, origin, fetch);
  if (!answer.failed() || visit.is_new()) {
    visit.release_claims();
    co_return;
  }
  if (answer.outcome != Fetch::Outcome::kResponse) (void)visit.try_stale_if_error(fetch->failed_by_origin());
  fetch.reset();
  co_await rest_after_failure(proxy.loop());
  visit.release_claims();
}

async::Task<void> validate_slice(Proxy& proxy, std::unique_ptr<OwnExchange> exchange, uint64_t number) {
  Request request(proxy, *exchange, Request::Kind::kInBackground);
  const caching::Policy* policy = find_policy(request);
  if (!policy || !policy->slice) co_return;
  const Origin origin = origin_of(*request.configuration, *request.matched.route, request.facts, request.loop().now());
  take_affinity(request, origin.group);
  Slice slice(request, *policy, origin, number);
  const bool answered = co_await slice.validate();
  if (answered) co_return;
  co_await rest_after_failure(proxy.loop());
  slice.visit().release_claims();
}

async::Task<void> resume(Proxy& proxy, std::unique_ptr<OwnExchange> exchange, cache::Filler filler) {
  Request request(proxy, *exchange, Request::Kind::kInBackground);
  const caching::Policy* policy = find_policy(request);
  if (!policy || !filler.response().has_head()) co_return;
  if (freshness_of(filler.response()).has(caching::Freshness::kPartial)) co_return;
  const Origin origin = origin_of(*request.configuration, *request.matched.route, request.facts, request.loop().now());
  take_affinity(request, origin.group);
  http::Fields stored(request.arena());
  read_section(filler.response().section(), stored);
  const caching::Rest rest{.etag = stored.value(FieldName::kEtag),
                           .begin = filler.response().filled(),
                           .complete = filler.response().length()};
  Fetch fetch(request, origin.group);
  const auto begins = co_await ask_origin_for_rest(request, rest, policy->range, fetch);
  if (!begins) co_return;
  const Fill::Limits limits = fill_limits(request, *policy);
  Fill::start(proxy.tasks(),
              std::make_unique<Fill>(proxy.shared_cache(), std::move(filler), fetch.attempt().hand_over(), limits,
                                     rest.begin - *begins),
              nullptr);
}

using Own = std::unique_ptr<OwnExchange>;

// A task of the worker's for a request that may end before it. Where there is no place or memory for it, what is served
// meanwhile is not the worse.
template <class Make>
void start(Request& request, Make task) {
  Proxy& proxy = request.proxy;
  if (proxy.tasks().size() >= kMostTasks) return;
  try {
    proxy.tasks().add(task(proxy, std::make_unique<OwnExchange>(proxy.loop(), request.exchange)));
  } catch (const std::bad_alloc&) {
  }
}

}   // namespace

void validate_in_background(Request& request) {
  start(request, [](Proxy& proxy, Own exchange) { return validate(proxy, std::move(exchange)); });
}

void validate_in_background(Request& request, uint64_t slice) {
  start(request, [slice](Proxy& proxy, Own exchange) { return validate_slice(proxy, std::move(exchange), slice); });
}

// Where it can't, the filler goes, and its followers are told.
void resume_in_background(Request& request, cache::Filler filler) {
  start(request,
        [&filler](Proxy& proxy, Own exchange) { return resume(proxy, std::move(exchange), std::move(filler)); });
}

}   // namespace proxyd::proxy
