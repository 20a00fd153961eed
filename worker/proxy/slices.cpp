#include "worker/proxy/slices.h"

#include <algorithm>

#include "worker/proxy/background.h"
#include "worker/proxy/failure.h"
#include "worker/proxy/remainder.h"
#include "worker/proxy/stored/stored_head.h"
#include "worker/proxy/stored_answer.h"

namespace proxyd::proxy {

using http::FieldName;
using Offered = net::Offer::State;

constexpr uint64_t kMostLookedAt = 256;   // of the slices to come, before an answer begins

async::Task<bool> Slices::open(uint64_t octet) {
  for (int tries = 0; tries < 2; ++tries) {
    bool found = co_await find_first(octet / policy_.slice);
    if (!found && octet >= policy_.slice) found = co_await find_first(0);   // it tells where the end is
    if (!found) co_return false;
    whole_ = opened().what();
    whole_.etag = request_.arena().copy(whole_.etag);
    opened_key_ = request_.arena().copy(opened().visit().key());
    const Others others = look_at_others();
    if (others != Others::kNewer) co_return others == Others::kFit;
    (void)cache().drop(opened_key_);
  }
  co_return false;
}

async::Task<bool> Slices::find_first(uint64_t number) {
  number_ = number;
  std::optional<Slice>& slice = slices_[given_];
  slice.emplace(request_, policy_, origin_, number);
  if (request_.head.method == http::Method::kHead) co_return slice->look();
  const bool found = co_await slice->find();
  co_return found;
}

// Nothing is begun that can't be ended: when a slice of a newer content is stored, the one that was opened is outdated;
// and who asks for what is stored alone needs all of it.
Slices::Others Slices::look_at_others() const {
  const bool none_may_miss = caching::request_directives(request_.head.fields, policy_).only_if_cached;
  const int64_t opened_at = slices_[given_]->freshness().asked_at();
  const std::string_view range = request_.head.fields.combined(FieldName::kRange);
  const http::RangeSelection wanted = http::select_ranges(range, whole_.complete);
  const uint64_t last = (wanted.count == 1 ? wanted.room[0].last : whole_.complete - 1) / policy_.slice;
  if (none_may_miss && last > number_ + kMostLookedAt) return Others::kMissing;
  for (uint64_t number = number_ + 1; number <= std::min(last, number_ + kMostLookedAt); ++number) {
    const std::string key = caching::key_of_another_slice(opened_key_, number_, number);
    const cache::Lookup other =
        key.empty() ? cache::Lookup() : cache().find(key, cache().published(), request_.proxy.shared_cache().now());
    const bool stored = other.outcome == cache::Lookup::Outcome::found && other.purged == cache::Purged::no &&
                        other.response.has_head() && other.response.kind() == cache::Kind::response;
    if (!stored && none_may_miss) return Others::kMissing;
    if (!stored || freshness_of(other.response).asked_at() <= opened_at) continue;
    http::Arena arena;
    http::Fields fields(arena);
    read_section(other.response.section(), fields);
    const auto slice = caching::slice_of(fields, number, policy_.slice);
    if (slice && !slice->is_of_one_content_with(whole_)) return Others::kNewer;
  }
  return Others::kFit;
}

net::ContentSource& Slices::give(uint64_t begin, uint64_t end) {
  at_ = begin;
  end_ = end;
  if (at_ >= end_) return *this;
  if (at_ / policy_.slice == number_) {
    begin_slice();
  } else {
    finding_ = find_next(at_ / policy_.slice);
  }
  return *this;
}

// What is stored of another content is asked for again; when the origin has another by now, the answer is at its end.
async::Task<void> Slices::find_next(uint64_t number) {
  next_number_ = number;
  std::optional<Slice>& next = slices_[1 - given_];
  try {
    for (bool again = true; again;) {
      next.emplace(request_, policy_, origin_, number);
      const bool found = co_await next->find();
      next_found_ = found && next->what().is_of_one_content_with(whole_);
      const bool is_other = found && !next_found_;
      again = is_other && !next->visit().is_from_origin();
      if (is_other) (void)cache().drop(again ? next->visit().key() : opened_key_);
    }
  } catch (...) {
    news_.raise(request_.loop().ready());
    throw;   // to whoever looks for it
  }
  if (next_found_ && next->visit().wants_validation()) validate_in_background(request_, number);
  news_.raise(request_.loop().ready());
}

bool Slices::next_is_here() {
  if (!finding_.done()) return false;
  finding_.take();
  finding_ = {};
  if (!next_found_) return false;
  given_ = 1 - given_;
  number_ = next_number_;
  begin_slice();
  let_head_go();
  return true;
}

void Slices::begin_slice() {
  CacheVisit& visit = opened().visit();
  const http::ByteRange& range = opened().what().range;
  content_.emplace(visit.shared(), visit.stored().share(), at_ - range.first,
                   std::min(end_, range.last + 1) - range.first, visit);
}

void Slices::let_head_go() {
  if (!content_) return;
  opened().visit().has_begun();
  content_->let_head_go();
}

net::Offer Slices::offer(net::PieceKinds kinds) {
  for (;;) {
    if (at_ >= end_) return {.state = Offered::kEnd};
    if (!content_ && !next_is_here())
      return finding_ ? net::Offer{.state = Offered::kPending}
                      : net::Offer{.state = Offered::kFailed, .fault = net::ContentFault::kClosed};
    net::Offer offer = content_->offer(kinds);
    offer.last = offer.last && is_last();
    const bool over = offer.state == Offered::kEnd;
    if (!finding_ && !is_last() && (over || content_->all_here())) finding_ = find_next(number_ + 1);
    if (!over) return offer;
    content_.reset();
    slices_[given_].reset();
  }
}

void Slices::consumed(uint64_t octets) {
  at_ += octets;
  content_->consumed(octets);
}

async::WaitReady Slices::more(Deadline deadline) {
  if (content_) return content_->more(deadline);
  news_.set(finding_.done());
  return {request_.loop(), news_, deadline};
}

namespace {

// What the log tells of the origin is what the slice that was opened had to do with it.
void note_origin(Request& request, Slice& opened) {
  const Request& own = opened.request();
  request.note_cache(opened.visit().result(), opened.visit().reason());
  request.facts.upstream = own.facts.upstream;
  request.facts.target = own.facts.target;
  request.attempts = own.attempts;
  request.connect = own.connect;
}

}   // namespace

async::Task<bool> answer_in_slices(Request& request, const caching::Policy& policy, const Origin& origin) {
  const http::Method method = request.head.method;
  if (method != http::Method::kGet && method != http::Method::kHead) co_return false;
  const auto octet = caching::first_octet_wanted(request.head.fields.combined(FieldName::kRange));
  if (!octet) co_return false;
  Slices slices(request, policy, origin);
  const bool open = co_await slices.open(*octet);
  if (!open) co_return false;
  note_origin(request, slices.opened());
  const bool is_stale = slices.opened().visit().wants_validation();
  if (is_stale) validate_in_background(request, *octet / policy.slice);
  StoredAnswer answer(request, slices.opened().visit(), &slices);
  if (!answer.begin()) {
    request.exchange.reset();
    co_return true;
  }
  answer.let_heads_go();
  Relay relay(request.loop(), answer.content(), request.exchange.sink(), answer.limits());
  Relayed relayed = co_await relay_content(relay);
  if (relayed.end == Relayed::End::kSourceFailed)
    relayed = co_await relay_remainder(request, origin.group, {slices.whole().etag, slices.position(), slices.end()});
  cut_response(request, origin.group, relayed);
  co_return true;
}

}   // namespace proxyd::proxy
