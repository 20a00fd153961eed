#include "worker/proxy/cache_visit.h"

#include <algorithm>

#include "shared/base/steady.h"
#include "worker/caching/bypass.h"
#include "worker/caching/vary.h"
#include "worker/proxy/background.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using caching::Use;
using http::FieldName;
using http::Method;

constexpr int kMostLooks = 4;   // while others change what is found; then the origin answers, and nothing is stored

static_assert(caching::kMostTags == cache::kMostTagStamps);

bool is_forwarded_beyond_key(const Request& request, const caching::Policy& policy) {
  const routing::RequestFacts& facts = request.facts;
  return facts.from_trusted_proxy &&
         caching::has_foreign_forwarding_fields(request.head.fields, facts.authority, facts.scheme, policy);
}

}   // namespace

CacheVisit::CacheVisit(Request& request, const caching::Policy& policy, std::string_view partition)
    : request_(request), shared_(request.proxy.shared_cache()), policy_(policy) {
  control_ = caching::request_directives(request.head.fields, policy_);
  status_.reason = caching::why_bypassed(request.head, policy_);
  if (status_.reason != Reason::kNone && !caching::is_post_to_be_stored(request.head, policy_)) return;
  make_key(partition);
  if (!primary_) return;
  sequence_ = shared_.cache().published();
  if (control_.no_store) status_.detail = Reason::kRequestNoStore;
  if (is_forwarded_beyond_key(request, policy)) status_.detail = Reason::kForwardingFields;
  speaks_for_all_ = status_.detail == Reason::kNone;
  may_store_ = speaks_for_all_ && request.head.method != Method::kHead;
}

CacheVisit::~CacheVisit() { request_.note_cache(result(), reason()); }

void CacheVisit::make_key(std::string_view partition) {
  primary_ = caching::cache_key(request_.url(), request_.head.fields, policy_.key, partition);
  if (!primary_) status_.reason = Reason::kKeyTooLong;
  if (primary_) key_ = primary_->text;
}

// A client that wants little of it is answered long before the fetch ends.
bool CacheVisit::may_be_left_alone() const {
  return request_.head.fields.has_any(http::bit_of(FieldName::kRange) | http::bit_of(FieldName::kIfNoneMatch) |
                                      http::bit_of(FieldName::kIfModifiedSince));
}

CacheVisit::Next CacheVisit::look() {
  const bool would_read = request_.head.method == Method::kGet || request_.head.method == Method::kHead;
  if (!would_read) return Next::kAskOrigin;
  if (!primary_) return next_without_any();
  for (int looks = 0; looks < kMostLooks; ++looks) {
    if (looks > 0 || status_.collapsed) forget();
    const Next next = look_once();
    const bool has_come = next == Next::kWait && awaited_ == Awaited::kHead && stored_.has_head();
    if (next == Next::kGatewayTimeout) stored_ = {};
    if (!has_come) return next;
  }
  return go_without_storing(Reason::kMiss);
}

CacheVisit::Next CacheVisit::go_without_storing(Reason reason) {
  status_.reason = reason;
  may_store_ = false;
  stored_ = {};
  section_.reset();
  return next_without_any();
}

CacheVisit::Next CacheVisit::next_without_any() const {
  return caching::use_of_nothing(control_) == Use::kGatewayTimeout ? Next::kGatewayTimeout : Next::kAskOrigin;
}

// What an earlier look found.
void CacheVisit::forget() {
  release_stored();
  fits_ = false;
  section_.reset();
  key_ = primary_->text;
}

// RFC 9111 4.1: the primary key finds what does not vary, or the list of what it varies by.
CacheVisit::Next CacheVisit::look_once() {
  cache::Lookup first = shared_.cache().find(key_, sequence_, shared_.now());
  const bool is_list = first.response && first.response.has_head() && first.response.kind() == cache::Kind::vary_head &&
                       first.purged != cache::Purged::hard;
  if (!is_list) return found(std::move(first));
  vary_head_ = std::move(first.response);
  const auto secondary = caching::secondary_key(vary_head_of(vary_head_).list, request_.head.fields);
  if (!secondary) return go_without_storing(Reason::kVaryTooLong);
  key_ = request_.arena().concat(primary_->text, *secondary);
  return found(shared_.cache().find(key_, sequence_, shared_.now()));
}

CacheVisit::Next CacheVisit::found(cache::Lookup lookup) {
  using Outcome = cache::Lookup::Outcome;
  if (lookup.outcome == Outcome::unpinnable) {
    status_.detail = Reason::kBusy;
    return go_without_storing(Reason::kMiss);
  }
  if (lookup.outcome == Outcome::miss) return lock(nullptr);
  if (lookup.outcome == Outcome::pass) {
    hit_for_miss_ = std::move(lookup.response);
    status_.reason = vary_head_ ? Reason::kVaryMiss : Reason::kMiss;
    return next_without_any();
  }
  stored_ = std::move(lookup.response);
  if (!stored_.has_head()) {
    const cache::Progress progress = stored_.progress();
    // One with a head is gone on with by who has read that.
    const bool orphaned = progress.orphaned && progress.state == cache::State::opening;
    if (orphaned && !may_store_) return go_without_storing(Reason::kMiss);
    if (orphaned) {
      filler_ = shared_.cache().take_over(stored_);
      sequence_ = filler_ ? filler_.sequence() : sequence_;
      if (filler_) return status_.reason = Reason::kMiss, Next::kAskOrigin;
    }
    awaited_ = Awaited::kHead;
    return waited_in_vain_ ? go_without_storing(Reason::kMiss) : Next::kWait;
  }
  // Its head may have come since it was found.
  const cache::Purged purged = stored_.purged(sequence_);
  if (purged == cache::Purged::hard) return lock(&stored_);
  if (stored_.kind() == cache::Kind::vary_head) {
    awaited_ = Awaited::kHead;
    return Next::kWait;   // which is over: what it lists is looked for
  }
  return judge(purged == cache::Purged::soft);
}

// What is asked for is not in the stored part. Where that is a beginning, the rest alone may be asked for.
CacheVisit::Next CacheVisit::replace_part() {
  if (stored_.state() != cache::State::complete) return go_without_storing(Reason::kPartial);
  const bool whole_is_wanted = !request_.head.fields.has(FieldName::kRange);
  const Next next = lock(&stored_);
  if (filler_ && whole_is_wanted) part_.emplace(stored_.share(), request_.arena());
  status_.reason = Reason::kPartial;
  return next;
}

CacheVisit::Next CacheVisit::judge(bool soft_purged) {
  freshness_ = freshness_of(stored_);
  const bool is_part = freshness_.has(caching::Freshness::kPartial);
  if (is_part && !part_answers(stored_, request_.head, request_.proxy.wall_clock_ms() / 1000)) return replace_part();
  fits_ = true;
  reuse_ = caching::decide_reuse(freshness_, control_, soft_purged, shared_.now());
  status_.reason = reuse_.reason;
  const bool must_ask = insists_ && reuse_.reason != Reason::kNone;
  if (reuse_.served() && !must_ask) return Next::kServe;
  const bool asked_by_another = status_.collapsed && !soft_purged;
  if (asked_by_another && caching::was_asked_since(freshness_, reuse_, steady_ms(request_.began))) return Next::kServe;
  if (reuse_.use == Use::kGatewayTimeout) return Next::kGatewayTimeout;
  return validate();
}

// One asks for all, unless what it learns is good for itself alone: then all ask side by side. While it is being
// fetched it can't be validated: whoever may not use it asks for itself.
CacheVisit::Next CacheVisit::validate() {
  if (request_.head.method == Method::kHead) return Next::kAskOrigin;
  if (waited_in_vain_ && origin_failed_ && serve_stale_if_error()) return Next::kServe;
  if (stored_.state() != cache::State::complete || waited_in_vain_ || !may_store_) {
    may_store_ = false;
    return Next::kAskOrigin;   // for itself; what is stored may stand in for an error all the same
  }
  const bool not_for_others = freshness_.has(caching::Freshness::kNoCache) || freshness_.lifetime <= 0;
  if (not_for_others && !insists_) {
    validates_alone_ = true;
    return Next::kAskOrigin;
  }
  claim_ = shared_.cache().begin_revalidation(stored_);
  awaited_ = Awaited::kValidation;
  return claim_ ? Next::kAskOrigin : Next::kWait;
}

// Nothing fits: whoever has the lock asks the origin for all.
CacheVisit::Next CacheVisit::lock(const cache::StoredResponse* instead_of) {
  using Outcome = cache::FillLock::Outcome;
  status_.reason = vary_head_ ? Reason::kVaryMiss : Reason::kMiss;
  if (next_without_any() == Next::kGatewayTimeout) return Next::kGatewayTimeout;
  if (!may_store_ || waited_in_vain_) return go_without_storing(status_.reason);
  cache::FillLock lock = shared_.cache().begin_fill(key_, sequence_, shared_.now(), instead_of);
  if (lock.outcome == Outcome::filler) filler_ = std::move(lock.filler);
  if (lock.outcome == Outcome::pass) hit_for_miss_ = std::move(lock.response);
  if (lock.outcome == Outcome::busy || lock.outcome == Outcome::no_room) {
    status_.detail = Reason::kBusy;
    return go_without_storing(status_.reason);
  }
  if (lock.outcome == Outcome::follow || lock.outcome == Outcome::found) {
    stored_ = std::move(lock.response);
    awaited_ = Awaited::kHead;
    return Next::kWait;
  }
  return Next::kAskOrigin;
}

bool CacheVisit::still_waits(const cache::Progress& progress) const {
  if (progress.dead || progress.orphaned) return false;
  if (awaited_ == Awaited::kHead) return progress.state == cache::State::opening;
  return progress.state == cache::State::complete && progress.held && !progress.freshened;
}

// Who waited for a validation that came to nothing is not to queue for the next.
void CacheVisit::note_end(const cache::Progress& progress) {
  if (awaited_ != Awaited::kValidation || progress.dead || progress.freshened) return;
  waited_in_vain_ = progress.claim_end != cache::ClaimEnd::open;
  origin_failed_ = progress.claim_end == cache::ClaimEnd::failed;
}

async::Task<void> CacheVisit::wait() {
  status_.collapsed = true;
  if (patience_.is_never()) patience_ = Deadline::at(shared_.loop().now() + milliseconds(policy_.collapse_timeout));
  Follower follower;
  shared_.followers().add(follower, stored_.wait_number());
  for (;;) {
    follower.news().set(false);
    const cache::Progress progress = stored_.arm();
    if (!still_waits(progress)) {
      note_end(progress);
      co_return;
    }
    async::WaitReady news(shared_.loop(), follower.news(), patience_.earlier_of(request_.total));
    const bool heard = co_await news;
    waited_in_vain_ = !heard;
    if (!heard) co_return;
  }
}

void CacheVisit::take_over(cache::Filler filler) { resume_in_background(request_, std::move(filler)); }

caching::CacheStatus CacheVisit::status() const {
  caching::CacheStatus status = status_;
  status.hit = !asked_ && !status_.collapsed;
  if (status.hit) status.detail = status_.reason;   // why it is stale
  if (status.hit || status.stored || is_stale_if_error()) status.ttl = freshness_.remaining(shared_.now()) / 1000;
  return status;
}

CacheResult CacheVisit::result() const {
  if (!primary_) return CacheResult::kBypass;
  if (is_stale_if_error()) return CacheResult::kStale;
  if (!asked_ && stored_) {
    if (status_.collapsed) return CacheResult::kCollapsed;
    return status_.reason == Reason::kNone ? CacheResult::kHit : CacheResult::kStale;
  }
  if (was_validated()) return CacheResult::kValidated;
  return is_new() ? CacheResult::kMiss : CacheResult::kPass;
}

}   // namespace proxyd::proxy
