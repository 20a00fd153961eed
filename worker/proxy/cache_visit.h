#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/cache/cache.h"
#include "shared/cache/subjects.h"
#include "worker/async/task.h"
#include "worker/caching/cache_key.h"
#include "worker/caching/cache_status.h"
#include "worker/caching/reuse.h"
#include "worker/caching/revalidation.h"
#include "worker/caching/storing.h"
#include "worker/caching/tags.h"
#include "worker/proxy/attempt.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored/filled_content.h"
#include "worker/proxy/stored/shared_cache.h"
#include "worker/proxy/stored/stored_content.h"
#include "worker/proxy/stored/stored_head.h"
#include "worker/proxy/stored/stored_part.h"
#include "worker/proxy/variant_list.h"

namespace proxyd::proxy {

// How long and how much a fill may take for a request.
Fill::Limits fill_limits(const Request& request, const caching::Policy& policy);

// What one request has to do with the cache (RFC 9111): it finds what may answer it, follows who fetches that, or has
// the right and the duty to fetch it itself; and it says what the origin's answer does to what is stored. Lies in the
// frame of the request's path. Owns pins, and while the origin is asked the fill lock or the claim to validate, which
// whoever abandons the request gives back. Nothing suspends but `wait`.
class CacheVisit final : public StoredContent::Heir {
 public:
  // `partition`: keeps answers of different upstreams apart. The policy lives as long as the request's configuration.
  CacheVisit(Request& request, const caching::Policy& policy, std::string_view partition);
  ~CacheVisit() override;

  enum class Next : uint8_t {
    kAskOrigin,
    kServe,            // `stored`, which may be arriving still
    kWait,             // for who fetches or validates it; then look again
    kGatewayTimeout,   // the request forbids to ask the origin (RFC 9111 5.2.1.7)
  };
  Next look();
  // The origin is to be asked for all who want the same.
  bool owns() const { return filler_ || claim_; }
  // Until there is news of what is waited for, or the policy's patience ends. Suspends.
  async::Task<void> wait();
  // For a request in the background: what may be served stale is to be validated.
  void insist_on_validation() { insists_ = true; }
  // For a request for a slice of a content: nothing else is an answer to it.
  void expect_slice(uint64_t number) { slice_ = number; }
  // The origin's answer to a request whose content is still on its way could be stored once that has ended.
  bool would_store(const http::ResponseHead& response, caching::Moment sent) const;
  // What the origin says is for the cache as well.
  bool asks_for_cache() const { return filler_ || validates(); }
  std::string_view key() const { return key_; }

  // Once `look` said kAskOrigin, and again after kAskAgain: the fields that the origin is asked with; null: the
  // client's own.
  const http::Fields* begin_asking();

  // What the origin's answer comes to. Its fields are as the client is to see them.
  enum class Then : uint8_t {
    kRelay,      // the client gets it as it comes; nothing is stored
    kServe,      // `stored`: validated, or now being filled (`begin_fill`), or stale in place of an error
    kAskAgain,   // it spoke of something else: ask without a condition
  };
  Then take(http::ResponseHead& response, caching::Moment sent);
  // This request's own answer made its URL invalid just now; what is stored of that answer is newer, unless others
  // purged as well.
  void note_own_purge(uint64_t sequence) {
    if (sequence == sequence_ + 1) sequence_ = sequence;
  }
  // There is no answer: true when what is stored is served in its place (RFC 5861 4).
  bool try_stale_if_error();

  // The origin's answer is known, and what it means for the cache is done: nobody need wait for this request any more.
  void release_claims() {
    end_claim();
    if (filler_ && !is_new()) filler_ = {};
  }
  // The answer has begun: what only its head needed can be freed.
  void release_heads() {
    release_lists();
    stored_.let_head_go();
  }
  // The origin's answer goes by: nothing that is stored is needed any more.
  void release_stored() {
    release_lists();
    stored_ = {};
  }
  // What to answer with, after kServe.
  cache::StoredResponse& stored() { return stored_; }
  const caching::Freshness& freshness() const { return freshness_; }
  // Fields to be sent in place of the stored ones; null: those.
  const http::Fields* fields() const { return fields_ ? &*fields_ : nullptr; }
  int64_t age() const { return freshness_.age(shared_.now()); }
  // The origin gave it just now: its Age is the origin's to say.
  bool is_new() const { return serves_ == Serves::kNew; }
  bool was_validated() const { return serves_ == Serves::kValidated; }
  bool is_hit_for_miss() const { return static_cast<bool>(hit_for_miss_); }   // by an earlier answer
  bool is_stale_if_error() const { return serves_ == Serves::kStaleIfError; }
  bool is_from_origin() const { return is_new() || was_validated(); }
  // Somebody should ask the origin while it is served (RFC 5861 3).
  bool wants_validation() const { return reuse_.use == caching::Use::kServeAndRevalidate; }
  // Once the answer has begun: the content comes in from here on. `reader`: of this request's own client.
  void begin_fill(upstream::Incoming incoming, FilledContent* reader);

  SharedCache& shared() { return shared_; }
  caching::CacheStatus status() const;
  // Fresh, and nobody was asked or waited for: `status` has no more to say.
  bool is_plain_hit() const {
    return !asked_ && !status_.collapsed && status_.reason == caching::Reason::kNone &&
           status_.detail == caching::Reason::kNone;
  }
  CacheResult result() const;
  caching::Reason reason() const { return status_.detail != caching::Reason::kNone ? status_.detail : status_.reason; }

  void take_over(cache::Filler filler) override;

 private:
  using Reason = caching::Reason;

  void release_lists() {
    vary_head_ = {};
    hit_for_miss_ = {};
    part_.reset();
  }
  void make_key(std::string_view partition);
  void forget();
  Next look_once();
  Next found(cache::Lookup lookup);
  Next judge(bool soft_purged);
  Next lock(const cache::StoredResponse* instead_of);
  Next validate();
  Next go_without_storing(Reason reason);
  Next next_without_any() const;
  bool validates() const { return claim_ || validates_alone_; }
  bool still_waits(const cache::Progress& progress) const;
  void note_end(const cache::Progress& progress);
  // Nothing came of it for those who wait.
  void end_claim() { claim_.end(origin_failed_ ? cache::ClaimEnd::failed : cache::ClaimEnd::in_vain); }
  Next replace_part();

  caching::StoredValidators stored_validators();
  void collect_tags(http::ResponseHead& response);
  bool wants_part() const;
  Then take_answer(const caching::Answer& answer);
  Then take_rest(const caching::Answer& answer);
  bool is_the_slice(const http::ResponseHead& response) const;
  Then take_whole(const caching::Answer& answer);
  Then take_not_modified(const caching::Answer& answer);
  bool may_be_left_alone() const;
  Then take_head(const caching::Answer& answer);
  bool serve_stale_if_error();
  bool may_drop() const;
  Then take_unstorable(const caching::Answer& answer, Reason reason);
  Then go_by(const caching::Answer& answer, Reason reason, int64_t pass_for);
  Then take_no_slice(const caching::Answer& answer);
  Then store(const caching::Answer& answer, const caching::Storing& storing);
  Reason lock_place(const caching::Storing& storing);
  cache::Written write_head(const caching::Answer& answer, const http::Fields& fields,
                            const caching::Freshness& freshness);
  bool keep(const caching::Freshened& freshened, caching::Moment received);
  cache::StampList stamps() const;
  VariantList variants(int64_t keep_until) const;
  const http::Fields& stored_section();

  Request& request_;
  SharedCache& shared_;
  const caching::Policy& policy_;
  caching::CacheControl control_;
  std::optional<caching::CacheKey> primary_;
  std::string_view key_;   // the primary one, or that of a variant
  uint64_t sequence_ = 0;
  std::optional<uint64_t> slice_;   // its number

  cache::StoredResponse stored_;
  cache::StoredResponse vary_head_;
  cache::StoredResponse hit_for_miss_;   // a hit-for-miss
  std::optional<StoredPart> part_;       // of which the rest is asked for
  cache::Filler filler_;
  cache::Revalidation claim_;
  caching::Freshness freshness_;
  caching::Reuse reuse_;
  std::optional<http::Fields> section_;   // of `stored_`, as far as anyone asked
  std::optional<http::Fields> fields_;
  std::optional<http::Fields> origin_fields_;
  caching::CacheStatus status_;
  enum class Awaited : uint8_t { kHead, kValidation };
  Awaited awaited_ = Awaited::kHead;
  enum class Serves : uint8_t { kWhatWasStored, kNew, kValidated, kStaleIfError };
  Serves serves_ = Serves::kWhatWasStored;
  Deadline patience_ = Deadline::never();
  const caching::TagList* tags_ = nullptr;   // of the origin's answer
  bool may_store_ = false;
  bool asked_ = false;
  bool fits_ = false;             // `stored_` fits the request, though it may be stale
  bool speaks_for_all_ = false;   // what the origin answers to it may be given to others
  bool asked_again_ = false;
  bool asked_for_more_ = false;   // for all, though the client wants a part
  bool insists_ = false;
  bool validates_alone_ = false;
  bool waited_in_vain_ = false;
  bool origin_failed_ = false;   // it gave no answer or an error, to this request or to the one that it waited for
  bool unconditional_ = false;   // the origin is asked once more
};

}   // namespace proxyd::proxy
