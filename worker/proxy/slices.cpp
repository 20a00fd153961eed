#include "worker/proxy/slices.h"

#include <algorithm>

#include "worker/proxy/background.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {

using http::FieldName;
using Offered = net::Offer::State;

namespace {

using Found = Slice::Found;

constexpr uint64_t kFewLookedAt = 8;      // of the slices to come, before an answer begins
constexpr uint64_t kMostLookedAt = 256;   // where none may be missing

// Of a stored slice, as far as it may be given.
std::optional<caching::Slice> slice_in(const cache::Lookup& found, uint64_t number, uint64_t size, http::Arena& arena) {
  const bool stored = found.outcome == cache::Lookup::Outcome::found && found.purged == cache::Purged::no &&
                      found.response.has_head() && found.response.kind() == cache::Kind::response;
  if (!stored) return std::nullopt;
  http::Fields fields(arena);
  read_section(found.response.section(), fields);
  return caching::slice_of(fields, number, size);
}

}   // namespace

cache::Lookup Slices::find_stored(std::string_view key) const {
  return cache().find(key, cache().published(), request_.proxy.shared_cache().now());
}

// What is stored of the first slice tells where the content ends, so that nobody need be asked what lies behind.
bool Slices::is_known_to_end_before(uint64_t octet) const {
  http::Arena arena;
  const std::string_view partition = caching::slice_partition(origin_.partition, 0, policy_.slice, arena);
  const auto key = caching::cache_key(request_.url(), request_.head.fields, policy_.key, partition);
  if (!key) return false;
  const cache::Lookup first = find_stored(key->text);
  const auto slice = slice_in(first, 0, policy_.slice, arena);
  const bool fresh = slice && freshness_of(first.response).remaining(request_.proxy.shared_cache().now()) > 0;
  return fresh && slice->complete <= octet;
}

async::Task<Found> Slices::open(uint64_t octet) {
  Found found = Found::kNo;
  for (int tries = 0; tries < 2; ++tries) {
    const bool behind = octet >= policy_.slice && is_known_to_end_before(octet);
    found = co_await find_first(behind ? 0 : octet / policy_.slice);
    if (found == Found::kBehindEnd && octet >= policy_.slice) found = co_await find_first(0);
    if (found != Found::kYes) co_return found;
    whole_ = opened().what();
    whole_.etag = request_.arena().copy(whole_.etag);
    opened_key_ = request_.arena().copy(opened().visit().key());
    opened_number_ = number_;
    opened_asked_at_ = opened().freshness().asked_at();
    const Others others = look_at_others();
    if (others == Others::kFit) co_return Found::kYes;
    if (others == Others::kMissing) break;
    drop_opened();
  }
  co_return Found::kNo;
}

async::Task<Found> Slices::find_first(uint64_t number) {
  number_ = number;
  std::optional<Slice>& slice = slices_[given_];
  slice.emplace(request_, policy_, origin_, number);
  if (request_.head.method == http::Method::kHead) co_return slice->look();
  const Found found = co_await slice->find();
  co_return found;
}

// Nothing is begun that can't be ended: when a slice of a newer content is stored, the one that was opened is outdated;
// and who asks for what is stored alone needs all of it.
Slices::Others Slices::look_at_others() const {
  if (request_.head.method == http::Method::kHead) return Others::kFit;
  const bool none_may_miss = caching::request_directives(request_.head.fields, policy_).only_if_cached;
  const uint64_t most = number_ + (none_may_miss ? kMostLookedAt : kFewLookedAt);
  const std::string_view range = request_.head.fields.combined(FieldName::kRange);
  const http::RangeSelection wanted = http::select_ranges(range, whole_.complete);
  const uint64_t last = (wanted.count == 1 ? wanted.room[0].last : whole_.complete - 1) / policy_.slice;
  if (none_may_miss && last > most) return Others::kMissing;
  for (uint64_t number = number_ + 1; number <= std::min(last, most); ++number) {
    http::Arena arena;
    const std::string key = caching::key_of_another_slice(opened_key_, number_, number);
    const cache::Lookup other = key.empty() ? cache::Lookup() : find_stored(key);
    const auto slice = slice_in(other, number, policy_.slice, arena);
    const bool fits = slice && slice->is_of_one_content_with(whole_);
    if (!fits && none_may_miss) return Others::kMissing;
    // Of two that were asked for in one millisecond nobody knows which is newer: that costs one more fetch.
    const bool newer = slice && freshness_of(other.response).asked_at() >= opened_asked_at_;
    if (!fits && newer) return Others::kNewer;
  }
  return Others::kFit;
}

// Unless it has been replaced.
void Slices::drop_opened() {
  http::Arena arena;
  const cache::Lookup found = find_stored(opened_key_);
  const auto slice = slice_in(found, opened_number_, policy_.slice, arena);
  if (slice && slice->is_of_one_content_with(whole_)) (void)cache().drop(opened_key_);
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

// A slice of an older content is asked for again, once. When it is of a newer one, the answer is at its end, and so is
// what it began with.
async::Task<void> Slices::find_next(uint64_t number) {
  next_number_ = number;
  std::optional<Slice>& next = slices_[1 - given_];
  try {
    for (int tries = 0; tries < 2; ++tries) {
      next.emplace(request_, policy_, origin_, number);
      const Found found = co_await next->find();
      next_found_ = found == Found::kYes && next->what().is_of_one_content_with(whole_);
      if (found != Found::kYes || next_found_) break;
      const bool older = !next->visit().is_from_origin() && next->freshness().asked_at() <= opened_asked_at_;
      if (!older) drop_opened();
      if (!older || !cache().drop(next->visit().key())) break;
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
  opened().visit().release_heads();
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

}   // namespace proxyd::proxy
