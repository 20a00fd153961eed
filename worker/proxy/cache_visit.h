#pragma once

#include <cstdint>
#include <string_view>

#include "worker/async/task.h"
#include "worker/proxy/attempt.h"
#include "worker/proxy/cache_search.h"
#include "worker/proxy/cache_update.h"
#include "worker/proxy/holding.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored/filled_content.h"
#include "worker/proxy/stored/shared_cache.h"
#include "worker/proxy/stored/stored_content.h"

namespace proxyd::proxy {

// How long and how much a fill may take for a request.
Fill::Limits fill_limits(const Request& request, const caching::Policy& policy);

// What one request has to do with the cache (RFC 9111), for whoever tells its story: a search for what may answer it,
// then perhaps a question to the origin and what the answer does to the cache, and between them what the request holds.
// Lies in the frame of the request's path; its end says what came of it. Owns pins, and while the origin is asked the
// duty to others, which whoever abandons the request gives back. Nothing suspends but `wait`.
class CacheVisit final : public StoredContent::Heir {
 public:
  using Next = CacheSearch::Next;
  using Then = CacheUpdate::Then;

  // `partition`: keeps answers of different upstreams apart. The policy lives as long as the request's configuration.
  CacheVisit(Request& request, const caching::Policy& policy, std::string_view partition)
      : held_(request, policy, partition), search_(held_), update_(held_) {}
  ~CacheVisit() override { held_.request.note_cache(result(), reason()); }

  // For a request in the background: what may be served stale is to be validated.
  void insist_on_validation() { held_.insists = true; }
  // For a request for a slice of a content: nothing else is an answer to it.
  void expect_slice(uint64_t number) { held_.slice = number; }

  // What there is to answer with; after kWait, `wait` and look again.
  Next look() { return search_.look(); }
  // Until there is news of what is waited for, or the policy's patience ends. Suspends.
  async::Task<void> wait() { return search_.wait(); }
  // The origin is to be asked for all who want the same.
  bool owns() const { return held_.duty.is_for_all(); }
  // What the origin says is for the cache as well.
  bool asks_for_cache() const { return held_.duty.is_for_cache(); }
  std::string_view key() const { return held_.key; }

  // Once `look` said kAskOrigin, and after kAskAgain: the fields that the origin is asked with; null: the client's own.
  const http::Fields* begin_asking() { return update_.begin_asking(); }
  // The origin's answer to a request whose content is still on its way could be stored once that has ended.
  bool would_store(const http::ResponseHead& response, caching::Moment sent) const {
    return update_.would_store(response, sent);
  }
  // What the origin's answer comes to. Its fields are as the client is to see them. After kServe: `stored`, and where
  // that is new `begin_fill`.
  Then take(http::ResponseHead& response, caching::Moment sent) { return update_.take(response, sent); }
  // There is no answer: true when what is stored is served in its place (RFC 5861 4). `by_origin`: which is the
  // origin's doing, so that others need not ask it for the same.
  bool try_stale_if_error(bool by_origin);
  // This request's own answer made its URL invalid just now; what is stored of that answer is newer, unless others
  // purged as well.
  void note_own_purge(uint64_t sequence) {
    if (sequence == held_.sequence + 1) held_.sequence = sequence;
  }
  // The origin's answer is known, and what it means for the cache is done: nobody need wait for this request any more.
  void release_claims() {
    if (!is_new()) held_.give_up_duty();
  }
  // Once the answer has begun: the content comes in from here on. `reader`: of this request's own client.
  void begin_fill(upstream::Incoming incoming, FilledContent* reader);

  // What to answer with, after kServe.
  cache::StoredResponse& stored() { return held_.stored; }
  const caching::Freshness& freshness() const { return held_.freshness; }
  // Fields to be sent in place of the stored ones; null: those.
  const http::Fields* fields() const { return update_.fields(); }
  int64_t age() const { return held_.freshness.age(held_.shared.now()); }
  // The origin gave it just now: its Age is the origin's to say.
  bool is_new() const { return held_.serves == Holding::Serves::kNew; }
  bool was_validated() const { return held_.serves == Holding::Serves::kValidated; }
  bool is_stale_if_error() const { return held_.serves == Holding::Serves::kStaleIfError; }
  bool is_from_origin() const { return is_new() || was_validated(); }
  // An earlier answer was not to be stored, and so may be the next.
  bool is_hit_for_miss() const { return static_cast<bool>(held_.hit_for_miss); }
  // Somebody should ask the origin while it is served (RFC 5861 3).
  bool wants_validation() const { return held_.reuse.use == caching::Use::kServeAndRevalidate; }
  // The answer has begun: what only its head needed can be freed.
  void release_heads() {
    held_.release_lists();
    held_.stored.let_head_go();
  }
  // The origin's answer goes by: nothing that is stored is needed any more.
  void release_stored() { held_.release_stored(); }

  SharedCache& shared() { return held_.shared; }
  caching::CacheStatus status() const;
  // Fresh, and nobody was asked or waited for: `status` has no more to say.
  bool is_plain_hit() const { return !held_.asked && !held_.status.collapsed && reason() == caching::Reason::kNone; }
  CacheResult result() const;
  caching::Reason reason() const {
    return held_.status.detail != caching::Reason::kNone ? held_.status.detail : held_.status.reason;
  }

  void take_over(cache::Filler filler) override;

 private:
  Holding held_;
  CacheSearch search_;
  CacheUpdate update_;
};

}   // namespace proxyd::proxy
