#include "worker/proxy/slice.h"

#include "worker/proxy/ask_origin.h"
#include "worker/proxy/failure.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {

Slice::Slice(Request& client, const caching::Policy& policy, const Origin& origin, uint64_t number)
    : client_(client),
      origin_(origin),
      number_(number),
      size_(policy.slice),
      exchange_(client.loop(), client.exchange, caching::range_of_slice(number, policy.slice)),
      request_(client, exchange_),
      visit_(request_, *policy.of_each_slice,
             caching::slice_partition(origin.partition, number, policy.slice, request_.arena())) {
  request_.total = request_.shared_total =
      Deadline::after(client.loop().now(), client.timeouts().total);   // others may read it as well
  visit_.expect_slice(number);
}

Slice::Found Slice::look() { return visit_.look() == CacheVisit::Next::kServe ? read() : Found::kNo; }

async::Task<Slice::Found> Slice::find() {
  CacheVisit::Next next = visit_.look();
  while (next == CacheVisit::Next::kWait) {
    co_await visit_.wait();
    next = visit_.look();
  }
  if (next == CacheVisit::Next::kServe) co_return read();
  if (next != CacheVisit::Next::kAskOrigin || !visit_.asks_for_cache())
    co_return visit_.is_hit_for_miss() ? Found::kNo : Found::kNotNow;
  const Found found = co_await ask();
  visit_.release_claims();
  co_return found;
}

async::Task<Slice::Found> Slice::ask() {
  const RouteGuard* const guard = guard_of(client_);
  if (guard) denial_ = admit_to_origin(client_, *guard);
  if (denial_) co_return Found::kFailed;
  const OwnAnswer answer = co_await ask_origin(request_, visit_, origin_, fetch_);
  fetched_ = answer.outcome;
  if (fetched_ != Fetch::Outcome::kResponse)
    co_return visit_.try_stale_if_error(fetch_->failed_by_origin()) ? read() : Found::kFailed;
  fetch_.reset();
  if (answer.then == CacheVisit::Then::kServe) co_return read();
  if (answer.status == 416) co_return Found::kBehindEnd;
  const bool no_slices = visit_.reason() == caching::Reason::kPartial && answer.status / 100 == 2;
  co_return no_slices ? Found::kNo : Found::kNotNow;
}

async::Task<void> Slice::fail() {
  if (denial_) {
    co_await answer_denied(client_, denial_);
    co_return;
  }
  co_await answer_failure(client_, *fetch_, fetched_);
}

async::Task<bool> Slice::validate() {
  visit_.insist_on_validation();
  if (visit_.look() != CacheVisit::Next::kAskOrigin || !visit_.owns()) co_return true;
  const Found found = co_await ask();
  co_return found == Found::kYes && !visit_.is_stale_if_error();
}

Slice::Found Slice::read() {
  http::Fields fields(request_.arena());
  read_section(visit_.stored().section(), fields);
  what_ = caching::slice_of(fields, number_, size_);
  if (what_) what_->etag = request_.arena().copy(what_->etag);
  return what_ && visit_.freshness().status == 206 ? Found::kYes : Found::kNo;
}

}   // namespace proxyd::proxy
