#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/cache/stored_response.h"
#include "worker/caching/cache_key.h"
#include "worker/caching/cache_status.h"
#include "worker/caching/reuse.h"
#include "worker/caching/revalidation.h"
#include "worker/proxy/duty.h"
#include "worker/proxy/request.h"
#include "worker/proxy/stored/shared_cache.h"
#include "worker/proxy/stored/stored_part.h"

namespace proxyd::proxy {

// What a request holds of the cache: between looking there, asking the origin and what its answer does to the cache, it
// is passed on in this. A value of one visit, which lies in the frame of the request's path; it owns pins and the
// request's duty to others. Nothing suspends or fails.
struct Holding {
  // `partition`: keeps answers of different upstreams apart. The policy lives as long as the request's configuration.
  Holding(Request& of, const caching::Policy& by, std::string_view partition);

  Request& request;
  SharedCache& shared;
  const caching::Policy& policy;

  // What is wanted.
  caching::CacheControl control;              // the request's own
  std::optional<caching::CacheKey> primary;   // nothing: the request takes no part
  std::string_view key;                       // the primary one, or that of a variant
  uint64_t sequence = 0;
  std::optional<uint64_t> slice;   // its number: nothing else is an answer to it
  bool speaks_for_all = false;     // what the origin answers to it may be given to others
  bool may_store = false;          // what the origin answers to it, as far as the request goes
  bool insists = false;            // in the background: what may be served stale is to be validated

  // What there is.
  cache::StoredResponse stored;
  bool fits = false;   // `stored` fits the request, though it may be stale
  caching::Freshness freshness;
  caching::Reuse reuse;
  std::optional<http::Fields> section;   // of `stored`, as far as anyone asked
  cache::StoredResponse vary_head;
  cache::StoredResponse hit_for_miss;   // an earlier answer was not to be stored
  std::optional<StoredPart> part;       // of which the rest is asked for

  // What comes of it.
  enum class Serves : uint8_t { kWhatWasStored, kNew, kValidated, kStaleIfError };
  Serves serves = Serves::kWhatWasStored;
  Duty duty;
  bool asked = false;           // the origin
  bool origin_failed = false;   // it gave no answer or an error, to this request or to the one that it waited for
  caching::CacheStatus status;

  const http::Fields& stored_section();
  caching::StoredValidators stored_validators();
  // From here on what is stored is served in place of an error, where it may be (RFC 5861 4).
  bool serve_stale_if_error();
  // Nobody need wait for this request any more.
  void give_up_duty() { duty.give_up(origin_failed ? cache::ClaimEnd::failed : cache::ClaimEnd::in_vain); }
  void release_lists() {
    vary_head = {};
    hit_for_miss = {};
    part.reset();
  }
  void release_stored() {
    release_lists();
    stored = {};
  }
};

}   // namespace proxyd::proxy
