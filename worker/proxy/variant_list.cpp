#include "worker/proxy/variant_list.h"

#include <algorithm>
#include <utility>

#include "shared/cache/cache.h"
#include "shared/cache/subjects.h"
#include "worker/caching/vary.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using caching::Reason;
using Outcome = cache::FillLock::Outcome;

constexpr int64_t kKeepFull = int64_t{600} * 1000;     // ms: a list with no room for another variant
constexpr int64_t kKeepLists = int64_t{3600} * 1000;   // ms: at least, from the last time that a variant is stored

}   // namespace

bool VariantList::covers(std::string_view vary_list, http::Arena& arena) const {
  const std::string_view list = head_ ? vary_head_of(head_).list : std::string_view();
  const auto merged = caching::merge_vary_lists(list, vary_list, arena);
  return merged && *merged == list;
}

VariantList::Place VariantList::lock(std::string_view vary_list, const http::Fields& request_fields,
                                     cache::Filler filler, const cache::StoredResponse* former) {
  http::Arena& arena = request_fields.arena();
  filler_ = std::move(filler);
  std::string_view list = vary_list;
  if (head_) {
    const auto merged = caching::merge_vary_lists(vary_head_of(head_).list, vary_list, arena);
    if (!merged) return {Reason::kVary, std::move(filler_), {}};
    list = *merged;
  }
  std::string_view key = primary_.text;
  if (list.empty()) {
    const Reason reason = lock_key(key, former);
    return {reason, std::move(filler_), key};
  }
  const auto secondary = caching::secondary_key(list, request_fields);
  if (!secondary) return {Reason::kVaryTooLong, std::move(filler_), {}};
  if (!caching::is_in_favourite_language(*secondary, vary_list)) return {Reason::kVary, std::move(filler_), {}};
  key = arena.concat(key, *secondary);
  if (!head_ || list != vary_head_of(head_).list) return lock_by_new_list(list, key, former, arena);
  const Reason reason = lock_listed(key, former, arena);
  return {reason, std::move(filler_), key};
}

Reason VariantList::lock_key(std::string_view key, const cache::StoredResponse* former) {
  if (filler_) return Reason::kNone;
  filler_ = shared_.cache().begin_fill(key, sequence_, shared_.now(), former).filler;
  return filler_ ? Reason::kNone : Reason::kBusy;
}

// By a list that stands: a new variant is noted, as well as that goes beside others who do the same.
Reason VariantList::lock_listed(std::string_view variant, const cache::StoredResponse* former, http::Arena& arena) {
  const VaryHead list = vary_head_of(head_);
  const bool known = list.knows(variant);
  if (!known && list.count() >= kMostVariants) return Reason::kVary;
  const Reason reason = lock_key(variant, former);
  if (reason != Reason::kNone) return reason;
  if (known)
    keep();
  else
    (void)write(list, variant, arena);
  return Reason::kNone;
}

// It is published once the lock of the variant is held, so that nobody who reads it fetches the same again: over the
// list that there is, or what this request fills under the primary key becomes one.
VariantList::Place VariantList::lock_by_new_list(std::string_view list, std::string_view variant,
                                                 const cache::StoredResponse* former, http::Arena& arena) {
  cache::FillLock lock = shared_.cache().begin_fill(variant, sequence_, shared_.now());
  if (lock.outcome == Outcome::found)   // from the days of a list that is gone
    lock = shared_.cache().begin_fill(variant, sequence_, shared_.now(), &lock.response);
  if (head_ && filler_) filler_.abort();   // of the variant by the former list
  const bool may_publish = head_ || lock_key(primary_.text, former) == Reason::kNone;
  const bool published = may_publish && write({{}, list}, variant, arena);
  if (!published || !lock.filler) return {Reason::kBusy, std::move(filler_), {}};
  return {Reason::kNone, std::move(lock.filler), variant};
}

// Twice as long as it must live, so that it is seldom written again: who reads it meanwhile holds an older one. A full
// one ends soon: then there is room for other variants, and those that are listed again are found as they were.
void VariantList::keep() {
  if (!head_ || vary_head_of(head_).count() >= kMostVariants) return;
  const int64_t enough = std::max(kKeepLists, keep_until_ - shared_.now());
  if (head_.keep_until() < shared_.now() + enough) (void)write(head_.metadata(), 2 * enough);
}

bool VariantList::write(const VaryHead& list, std::string_view variant, http::Arena& arena) {
  const int64_t enough = std::max(kKeepLists, keep_until_ - shared_.now());
  const bool full = list.count() + 1 >= kMostVariants;
  return write(metadata_with(list, variant, arena), full ? kKeepFull : 2 * enough);
}

bool VariantList::write(std::string_view metadata, int64_t keep_for) {
  const cache::StampList stamps = cache::stamps_of(shared_.cache().stamps(), primary_.url(), {}, false);
  const cache::Head head{.kind = cache::Kind::vary_head,
                         .metadata = metadata,
                         .stamps = stamps.stamps(),
                         .length = 0,
                         .keep_until = shared_.now() + keep_for};
  if (head_) return shared_.cache().freshen(head_, head, sequence_) == cache::Written::ok;
  const bool written = filler_.set_head(head) == cache::Written::ok;
  if (!written) return filler_.abort(), false;
  return filler_.complete();
}

}   // namespace proxyd::proxy
