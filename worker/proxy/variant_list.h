#pragma once

#include <cstdint>
#include <string_view>

#include "shared/cache/fill.h"
#include "worker/caching/cache_key.h"
#include "worker/caching/reason.h"
#include "worker/http/fields.h"
#include "worker/proxy/stored/shared_cache.h"

namespace proxyd::proxy {

struct VaryHead;

// Under which key an answer is stored: the primary one, or that of a variant (RFC 9111 4.1), whose list lies under the
// primary and lives at least as long as what it lists. Made by who stores, for a moment; what it is made of outlives
// it. Nothing suspends. What fails, fails with a reason, and the answer is not stored.
class VariantList {
 public:
  // `head`: what lies under the primary key, when that is a list; else empty. `sequence`: the request's. `keep_until`:
  // the answer's, steady milliseconds.
  VariantList(SharedCache& shared, const cache::StoredResponse& head, const caching::CacheKey& primary,
              uint64_t sequence, int64_t keep_until)
      : shared_(shared), head_(head), primary_(primary), sequence_(sequence), keep_until_(keep_until) {}

  // What varies so would be stored by the list that stands.
  bool covers(std::string_view vary_list, http::Arena& arena) const;

  // What a lock came to. Without a reason `filler` has the right to fill `key`; else it is what is left of the former
  // right, which is for whoever asked to give up.
  struct Place {
    caching::Reason reason = caching::Reason::kNone;
    cache::Filler filler;
    std::string_view key;
  };
  // The right to fill what an answer is stored under that varies so. `filler`: the right that there is already, if any.
  // `former`: what is replaced; may be null. The key is in the request's arena.
  Place lock(std::string_view vary_list, const http::Fields& request_fields, cache::Filler filler,
             const cache::StoredResponse* former);

  // A list that stands is prolonged, so that it doesn't end before what it lists.
  void keep();

 private:
  caching::Reason lock_key(std::string_view key, const cache::StoredResponse* former);
  caching::Reason lock_listed(std::string_view variant, const cache::StoredResponse* former, http::Arena& arena);
  Place lock_by_new_list(std::string_view list, std::string_view variant, const cache::StoredResponse* former,
                         http::Arena& arena);
  bool write(const VaryHead& list, std::string_view variant, http::Arena& arena);
  bool write(std::string_view metadata, int64_t keep_for);

  SharedCache& shared_;
  const cache::StoredResponse& head_;
  const caching::CacheKey& primary_;
  uint64_t sequence_;
  int64_t keep_until_;
  cache::Filler filler_;   // while it is locked
};

}   // namespace proxyd::proxy
