#include "worker/proxy/cache_search.h"

#include <utility>

#include "shared/base/steady.h"
#include "worker/caching/vary.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using caching::Reason;
using caching::Use;
using http::Method;

constexpr int kMostLooks = 4;   // while others change what is found; then the origin answers, and nothing is stored

}   // namespace

CacheSearch::Next CacheSearch::look() {
  const Method method = held_.request.head.method;
  const bool would_read = method == Method::kGet || method == Method::kHead;
  if (!would_read) return Next::kAskOrigin;
  if (!held_.primary) return next_without_any();
  for (int looks = 0; looks < kMostLooks; ++looks) {
    if (looks > 0 || held_.status.collapsed) forget();
    const Next next = look_once();
    const bool has_come = next == Next::kWait && awaited_ == Awaited::kHead && held_.stored.has_head();
    if (next == Next::kGatewayTimeout) held_.stored = {};
    if (!has_come) return next;
  }
  return go_without_storing(Reason::kMiss);
}

CacheSearch::Next CacheSearch::go_without_storing(Reason reason) {
  held_.status.reason = reason;
  held_.may_store = false;
  held_.stored = {};
  held_.section.reset();
  return next_without_any();
}

CacheSearch::Next CacheSearch::next_without_any() const {
  return caching::use_of_nothing(held_.control) == Use::kGatewayTimeout ? Next::kGatewayTimeout : Next::kAskOrigin;
}

// What an earlier look found.
void CacheSearch::forget() {
  held_.release_stored();
  held_.fits = false;
  held_.section.reset();
  held_.key = held_.primary->text;
}

// RFC 9111 4.1: the primary key finds what does not vary, or the list of what it varies by.
CacheSearch::Next CacheSearch::look_once() {
  cache::Cache& cache = held_.shared.cache();
  cache::Lookup first = cache.find(held_.key, held_.sequence, held_.shared.now());
  const bool is_list = first.response && first.response.has_head() && first.response.kind() == cache::Kind::vary_head &&
                       first.purged != cache::Purged::hard;
  if (!is_list) return found(std::move(first));
  held_.vary_head = std::move(first.response);
  const auto secondary = caching::secondary_key(vary_head_of(held_.vary_head).list, held_.request.head.fields);
  if (!secondary) return go_without_storing(Reason::kVaryTooLong);
  held_.key = held_.request.arena().concat(held_.primary->text, *secondary);
  return found(cache.find(held_.key, held_.sequence, held_.shared.now()));
}

CacheSearch::Next CacheSearch::found(cache::Lookup lookup) {
  using Outcome = cache::Lookup::Outcome;
  if (lookup.outcome == Outcome::unpinnable) {
    held_.status.detail = Reason::kBusy;
    return go_without_storing(Reason::kMiss);
  }
  if (lookup.outcome == Outcome::miss) return lock(nullptr);
  if (lookup.outcome == Outcome::pass) {
    held_.hit_for_miss = std::move(lookup.response);
    held_.status.reason = miss();
    return next_without_any();
  }
  held_.stored = std::move(lookup.response);
  if (!held_.stored.has_head()) return found_opening();
  // Its head may have come since it was found.
  const cache::Purged purged = held_.stored.purged(held_.sequence);
  if (purged == cache::Purged::hard) return lock(&held_.stored);
  if (held_.stored.kind() == cache::Kind::vary_head) return wait_for_head();   // which is over: look for what it lists
  return judge(purged == cache::Purged::soft);
}

// Somebody asks the origin for it, or has died doing so.
CacheSearch::Next CacheSearch::found_opening() {
  const cache::Progress progress = held_.stored.progress();
  // One with a head is gone on with by who has read that.
  const bool orphaned = progress.orphaned && progress.state == cache::State::opening;
  if (orphaned && !held_.may_store) return go_without_storing(Reason::kMiss);
  if (orphaned) held_.duty.fill(held_.shared.cache().take_over(held_.stored));
  if (held_.duty.role() == Role::kFills) {
    held_.sequence = held_.duty.filler().sequence();
    held_.status.reason = Reason::kMiss;
    return Next::kAskOrigin;
  }
  return waited_in_vain_ ? go_without_storing(Reason::kMiss) : wait_for_head();
}

CacheSearch::Next CacheSearch::judge(bool soft_purged) {
  const Request& request = held_.request;
  held_.freshness = freshness_of(held_.stored);
  const bool is_part = held_.freshness.has(caching::Freshness::kPartial);
  if (is_part && !part_answers(held_.stored, request.head, request.proxy.wall_clock_ms() / 1000)) return replace_part();
  held_.fits = true;
  held_.reuse = caching::decide_reuse(held_.freshness, held_.control, soft_purged, held_.shared.now());
  const caching::Reuse& reuse = held_.reuse;
  held_.status.reason = reuse.reason;
  const bool must_ask = held_.insists && reuse.reason != Reason::kNone;
  if (reuse.served() && !must_ask) return Next::kServe;
  const bool asked_by_another = held_.status.collapsed && !soft_purged;
  if (asked_by_another && caching::was_asked_since(held_.freshness, reuse, steady_ms(request.began)))
    return Next::kServe;
  if (reuse.use == Use::kGatewayTimeout) return Next::kGatewayTimeout;
  return validate();
}

// What is asked for is not in the stored part. Where that is a beginning, the rest alone may be asked for.
CacheSearch::Next CacheSearch::replace_part() {
  if (held_.stored.state() != cache::State::complete) return go_without_storing(Reason::kPartial);
  const bool whole_is_wanted = !held_.request.head.fields.has(http::FieldName::kRange);
  const Next next = lock(&held_.stored);
  const bool fills = held_.duty.role() == Role::kFills;
  if (fills && whole_is_wanted) held_.part.emplace(held_.stored.share(), held_.request.arena());
  held_.status.reason = Reason::kPartial;
  return next;
}

// One asks for all, unless what it learns is good for itself alone: then all ask side by side. While it is being
// fetched it can't be validated: whoever may not use it asks for itself.
CacheSearch::Next CacheSearch::validate() {
  if (held_.request.head.method == Method::kHead) return Next::kAskOrigin;
  if (waited_in_vain_ && held_.origin_failed && held_.serve_stale_if_error()) return Next::kServe;
  if (held_.stored.state() != cache::State::complete || !held_.may_store) {
    held_.may_store = false;
    return Next::kAskOrigin;   // for itself; where that fails, what is stored may be served all the same
  }
  const caching::Freshness& freshness = held_.freshness;
  const bool not_for_others = freshness.has(caching::Freshness::kNoCache) || freshness.lifetime <= 0;
  const bool in_vain = waited_in_vain_ || held_.stored.progress().claim_end == cache::ClaimEnd::in_vain;
  if ((not_for_others || in_vain) && !held_.insists) {
    held_.duty.revalidate_alone();
    return Next::kAskOrigin;
  }
  held_.duty.revalidate(held_.shared.cache().begin_revalidation(held_.stored));
  awaited_ = Awaited::kValidation;
  return held_.duty.revalidates() ? Next::kAskOrigin : Next::kWait;
}

// Nothing fits: whoever has the lock asks the origin for all.
CacheSearch::Next CacheSearch::lock(const cache::StoredResponse* instead_of) {
  using Outcome = cache::FillLock::Outcome;
  held_.status.reason = miss();
  if (next_without_any() == Next::kGatewayTimeout) return Next::kGatewayTimeout;
  if (!held_.may_store || waited_in_vain_) return go_without_storing(held_.status.reason);
  cache::FillLock lock = held_.shared.cache().begin_fill(held_.key, held_.sequence, held_.shared.now(), instead_of);
  switch (lock.outcome) {
    case Outcome::filler: held_.duty.fill(std::move(lock.filler)); return Next::kAskOrigin;
    case Outcome::pass: held_.hit_for_miss = std::move(lock.response); return Next::kAskOrigin;
    case Outcome::follow:
    case Outcome::found: held_.stored = std::move(lock.response); return wait_for_head();
    case Outcome::busy:
    case Outcome::no_room: break;
  }
  held_.status.detail = Reason::kBusy;
  return go_without_storing(held_.status.reason);
}

CacheSearch::Next CacheSearch::wait_for_head() {
  awaited_ = Awaited::kHead;
  return Next::kWait;
}

bool CacheSearch::still_waits(const cache::Progress& progress) const {
  if (progress.dead || progress.orphaned) return false;
  if (awaited_ == Awaited::kHead) return progress.state == cache::State::opening;
  return progress.state == cache::State::complete && progress.held && !progress.freshened;
}

// Who waited for a validation that failed, or was the second that came to nothing, is not to queue for the next.
void CacheSearch::note_end(const cache::Progress& progress) {
  if (awaited_ != Awaited::kValidation || progress.dead || progress.freshened) return;
  waited_in_vain_ = progress.claim_end == cache::ClaimEnd::failed || progress.claim_end == cache::ClaimEnd::in_vain;
  held_.origin_failed = progress.claim_end == cache::ClaimEnd::failed;
}

async::Task<void> CacheSearch::wait() {
  SharedCache& shared = held_.shared;
  held_.status.collapsed = true;
  if (patience_.is_never()) patience_ = Deadline::at(shared.loop().now() + milliseconds(held_.policy.collapse_timeout));
  Follower follower;
  shared.followers().add(follower, held_.stored.wait_number());
  for (;;) {
    follower.news().set(false);
    const cache::Progress progress = held_.stored.arm();
    if (!still_waits(progress)) {
      note_end(progress);
      co_return;
    }
    async::WaitReady news(shared.loop(), follower.news(), patience_.earlier_of(held_.request.total));
    const bool heard = co_await news;
    waited_in_vain_ = !heard;
    if (!heard) co_return;
  }
}

}   // namespace proxyd::proxy
