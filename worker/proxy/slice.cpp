#include "worker/proxy/slice.h"

#include "worker/proxy/fetch.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {

Slice::Slice(Request& client, const caching::Policy& policy, const Origin& origin, uint64_t number)
    : origin_(origin),
      number_(number),
      size_(policy.slice),
      exchange_(client.loop(), client.exchange, caching::range_of_slice(number, policy.slice, client.arena())),
      request_(client, exchange_),
      visit_(request_, *policy.of_each_slice, caching::slice_partition(origin.partition, number, request_.arena())) {
  visit_.expect_slice(number);
}

bool Slice::look() { return visit_.look() == CacheVisit::Next::kServe && read(); }

async::Task<bool> Slice::find() {
  CacheVisit::Next next = visit_.look();
  while (next == CacheVisit::Next::kWait) {
    co_await visit_.wait();
    next = visit_.look();
  }
  if (next == CacheVisit::Next::kServe) co_return read();
  if (next != CacheVisit::Next::kAskOrigin || !visit_.asks_for_cache()) co_return false;
  const bool found = co_await ask();
  visit_.let_go();
  co_return found;
}

async::Task<bool> Slice::validate() {
  visit_.insist_on_validation();
  if (visit_.look() != CacheVisit::Next::kAskOrigin || !visit_.owns()) co_return true;
  const bool found = co_await ask();
  co_return found;
}

async::Task<bool> Slice::ask() {
  for (;;) {
    request_.ask_with(visit_.origin_fields());
    Fetch fetch(request_, origin_.group);
    const caching::Moment sent = request_.proxy.moment();
    const Fetch::Outcome fetched = co_await fetch.run();
    if (fetched != Fetch::Outcome::kResponse) co_return visit_.stands_in() && read();
    http::ResponseHead& response = fetch.attempt().exchange().response();
    adapt_response_fields(response, response.status == 304, request_.arena());
    const CacheVisit::Then then = visit_.take(response, sent);
    if (then == CacheVisit::Then::kAskAgain) continue;
    if (visit_.is_new()) visit_.begin_fill(fetch.attempt().hand_over(), nullptr);
    co_return then == CacheVisit::Then::kServe&& read();
  }
}

bool Slice::read() {
  http::Fields fields(request_.arena());
  read_section(visit_.stored().section(), fields);
  what_ = caching::slice_of(fields, number_, size_);
  if (what_) what_->etag = request_.arena().copy(what_->etag);
  return what_ && visit_.freshness().status == 206;
}

}   // namespace proxyd::proxy
