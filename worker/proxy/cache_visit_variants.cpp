#include <algorithm>
#include <utility>

#include "worker/caching/vary.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/intermediary_fields.h"
#include "worker/proxy/stored/stored_head.h"

// Under which key an answer is stored: the primary one, or that of a variant (RFC 9111 4.1), whose list lies under the
// primary.
namespace proxyd::proxy {
namespace {

constexpr int64_t kKeepLists = int64_t{3600} * 1000;   // ms: at least, from the last time that a variant is stored

}   // namespace

// The client's own fields are what variants are selected by; what we set in their place may be another for each client.
bool CacheVisit::selects_by_what_we_set(std::string_view list) const {
  if (list.empty()) return false;
  const auto named = [list](const auto& name) { return caching::names_field(list, name); };
  const std::vector<std::string>& edited = request_.matched.route->request_edits.varying();
  return std::any_of(kFieldsOfOneRequest.begin(), kFieldsOfOneRequest.end(), named) ||
         std::any_of(edited.begin(), edited.end(), named);
}

// Under a key that it would be stored by now.
bool CacheVisit::lies_rightly(std::string_view vary_list) const {
  const std::string_view list = vary_head_ ? vary_head_of(vary_head_).list : std::string_view();
  const auto merged = caching::merge_vary_lists(list, vary_list, request_.arena());
  return merged && *merged == list;
}

// The right to fill what this answer is stored under: the primary key, or that of a variant. A list that is new is
// published once the lock of the variant is held, so that nobody who reads it fetches the same again.
bool CacheVisit::lock_variant(std::string_view list) {
  if (vary_head_) {
    const auto merged = caching::merge_vary_lists(vary_head_of(vary_head_).list, list, request_.arena());
    if (!merged) return give_up(Reason::kVary);
    list = *merged;
  }
  if (list.empty()) return lock_key(primary_->text);
  const auto secondary = caching::secondary_key(list, request_.head.fields);
  if (!secondary) return give_up(Reason::kVaryTooLong);
  const std::string_view variant = request_.arena().concat(primary_->text, *secondary);
  if (vary_head_ && list == vary_head_of(vary_head_).list) return lock_another(variant);
  cache::FillLock lock = shared_.cache().begin_fill(variant, sequence_, shared_.now());
  if (lock.outcome == cache::FillLock::Outcome::found)   // from the days of a list that is gone
    lock = shared_.cache().begin_fill(variant, sequence_, shared_.now(), &lock.response);
  if (!publish_list(list, variant) || !lock.filler) return give_up(Reason::kNone);
  filler_ = std::move(lock.filler);
  key_ = variant;
  return true;
}

// By a list that stands: a new variant is noted, as well as that goes beside others who do the same.
bool CacheVisit::lock_another(std::string_view variant) {
  const VaryHead head = vary_head_of(vary_head_);
  const bool known = head.knows(variant);
  if (!known && head.count() >= kMostVariants) return give_up(Reason::kVary);
  if (!lock_key(variant)) return false;
  if (!known) {
    (void)write_list(head, variant);
  } else {
    keep_list();
  }
  return true;
}

// No list goes before what it lists. A full one ends as it was to end: then there is room for other variants.
void CacheVisit::keep_list() {
  if (!vary_head_ || vary_head_of(vary_head_).count() >= kMostVariants) return;
  const int64_t enough = std::max(keep_until(freshness_), shared_.now() + kKeepLists);
  if (vary_head_.keep_until() < enough) (void)write_list(vary_head_.metadata());
}

bool CacheVisit::lock_key(std::string_view key) {
  if (filler_) return true;
  const cache::StoredResponse* former = stored_ ? &stored_ : passed_ ? &passed_ : nullptr;
  cache::FillLock lock = shared_.cache().begin_fill(key, sequence_, shared_.now(), former);
  filler_ = std::move(lock.filler);
  return static_cast<bool>(filler_);
}

bool CacheVisit::publish_list(std::string_view list, std::string_view variant) {
  if (vary_head_) {
    if (filler_) filler_.abort();   // of the variant by the former list
    return write_list({{}, list}, variant);
  }
  return lock_key(primary_->text) && write_list({{}, list}, variant);
}

// Into the vary head that there is, or what this request fills becomes one.
bool CacheVisit::write_list(const VaryHead& list, std::string_view variant) {
  return write_list(metadata_with(list, variant, request_.arena()));
}

// Twice as long as it must live, so that it is seldom written again: who reads it meanwhile holds an older one.
bool CacheVisit::write_list(std::string_view metadata) {
  const int64_t now = shared_.now();
  const cache::StampList stamps = this->stamps(false);
  const cache::Head head{.kind = cache::Kind::vary_head,
                         .metadata = metadata,
                         .stamps = stamps.stamps(),
                         .length = 0,
                         .keep_until = now + 2 * std::max(kKeepLists, keep_until(freshness_) - now)};
  if (vary_head_) return shared_.cache().freshen(vary_head_, head, sequence_) == cache::Written::ok;
  const bool written = filler_.set_head(head) == cache::Written::ok;
  if (!written) return filler_.abort(), false;
  return filler_.complete();
}

}   // namespace proxyd::proxy
