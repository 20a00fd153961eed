#include <algorithm>

#include "shared/cache/subjects.h"
#include "worker/caching/groups.h"
#include "worker/caching/tags.h"
#include "worker/caching/vary.h"
#include "worker/http/status.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/stored_head.h"

// What the origin's answer does to the cache: it validates what is stored (RFC 9111 4.3), replaces it (3), or is none
// of its business, which is remembered for a while so that nobody queues for it.
namespace proxyd::proxy {
namespace {

using http::FieldName;
using Kind = http::ContentLength::Kind;

constexpr int64_t kPassFor = 120'000;         // ms: a hit-for-miss (cache.md 5)
constexpr int64_t kPassAfterFailure = 1000;   // ms: nobody queues for an origin that does not answer
constexpr int64_t kForEver = INT64_MAX / 2;

std::optional<uint64_t> length_of(const http::ContentLength& content) {
  if (content.kind == Kind::kNone) return 0;
  return content.kind == Kind::kKnown ? std::optional(content.bytes) : std::nullopt;
}

std::optional<uint64_t> told_length(const http::Fields& fields) {
  uint64_t length = 0;
  const std::string_view text = fields.value(FieldName::kContentLength);
  for (const char c : text) length = length * 10 + static_cast<uint64_t>(c - '0');
  return text.empty() ? std::nullopt : std::optional(length);
}

}   // namespace

const http::Fields& CacheVisit::stored_section() {
  if (!section_) {
    section_.emplace(request_.arena());
    read_section(stored_.section(), *section_);
  }
  return *section_;
}

caching::StoredValidators CacheVisit::stored_validators() {
  const http::Fields& fields = stored_section();
  return {fields.value(FieldName::kEtag), fields.value(FieldName::kLastModified)};
}

// Whoever only passes by asks as the client did: the answer is the client's alone.
const http::Fields* CacheVisit::origin_fields() {
  if (!filler_ && !claim_) return nullptr;
  const bool conditional = claim_ && !unconditional_;
  const caching::StoredValidators validators = conditional ? stored_validators() : caching::StoredValidators{};
  origin_fields_.emplace(caching::origin_request_fields(request_.head.fields, validators, policy_.range));
  return &*origin_fields_;
}

CacheVisit::Then CacheVisit::take(http::ResponseHead& response, caching::Moment sent) {
  asked_ = true;
  status_.forward_status = response.status;
  collect_tags(response);
  const caching::Answer answer{request_.head, response, url(), sent, request_.proxy.moment(), false};
  return primary_ ? take_answer(answer) : Then::kRelay;
}

CacheVisit::Then CacheVisit::take_answer(const caching::Answer& answer) {
  const int status = answer.response.status;
  if (request_.head.method == http::Method::kHead) return take_head(answer);
  if (claim_ && status == 304 && !unconditional_) return take_not_modified(answer);
  if (caching::is_error_to_hide(status) && stands_in()) return Then::kServe;
  if (!may_store_ || status == 304) return Then::kRelay;
  // Perhaps it was too large to be stored: without a length it is not tried again until the mark is gone.
  if (passed_ && !length_of(answer.response.content)) return Then::kRelay;
  const caching::Storing storing = caching::decide_storing(answer, policy_);
  return storing.stored() ? store(answer, storing) : take_unstorable(answer, storing.reason);
}

// The tags and groups that purges name, before they are taken from what clients see.
void CacheVisit::collect_tags(http::ResponseHead& response) {
  http::Arena& arena = response.fields.arena();
  auto* tags = new (arena.allocate_array<caching::TagList>(1))
      caching::TagList(caching::response_tags(response.fields, policy_));
  const caching::TagList groups = caching::cache_groups(response.fields);
  for (const std::string_view group : groups.tags()) tags->add(caching::group_tag(url(), group, arena));
  tags->overflow = tags->overflow || groups.overflow;
  tags_ = tags;
  if (policy_.expose_tags) return;
  for (const std::string& name : policy_.tag_headers) response.fields.remove(name);
}

CacheVisit::Then CacheVisit::take_not_modified(const caching::Answer& answer) {
  if (!caching::is_freshened_by(answer.response.fields, stored_validators())) {
    unconditional_ = true;
    return Then::kAskAgain;
  }
  const caching::Freshened freshened = caching::freshen(stored_section(), freshness_.status, answer, policy_);
  validated_ = true;
  status_.stored = keep(freshened, answer.received);
  claim_ = {};
  fields_ = freshened.response.fields;
  for (const http::Field& field : answer.response.fields) {
    if (field.known == FieldName::kSetCookie) fields_->add(field);   // of the one who asked alone
  }
  return Then::kServe;
}

// What a 304 or a HEAD brought is written down, or what may not stay is dropped. True when it stays.
bool CacheVisit::keep(const caching::Freshened& freshened, caching::Moment received) {
  const caching::Storing& storing = freshened.storing;
  if (!storing.stored()) {
    status_.detail = storing.reason;
    freshness_.response_time = received.steady;
    freshness_.initial_age = storing.freshness.initial_age;
    if (storing.reason != Reason::kRequestNoStore) (void)shared_.cache().drop(key_);
    return false;
  }
  freshness_ = storing.freshness;
  const bool tagged = tags_->count > 0 || tags_->overflow;
  const cache::StampList stamps = this->stamps(true);
  const cache::Head head{.metadata = metadata_of(freshness_),
                         .section = section_of(freshened.response.fields),
                         .stamps = tagged ? stamps.stamps() : stored_.stamps(),
                         .length = stored_.length(),
                         .keep_until = keep_until(freshness_)};
  return shared_.cache().freshen(stored_, head, sequence_) == cache::Written::ok;
}

CacheVisit::Then CacheVisit::take_head(const caching::Answer& answer) {
  if (!stored_ || !stored_.has_head() || stored_.state() != cache::State::complete) return Then::kRelay;
  const caching::HeadEffect effect =
      caching::effect_of_head(answer.response, told_length(answer.response.fields), stored_validators(),
                              freshness_.status, stored_.length().value_or(0));
  if (effect == caching::HeadEffect::kInvalidate) (void)shared_.cache().drop(key_);
  if (effect == caching::HeadEffect::kFreshen)
    (void)keep(caching::freshen(stored_section(), freshness_.status, answer, policy_), answer.received);
  return Then::kRelay;
}

// A client that asked for a part of something that is too large to be stored gets just that.
CacheVisit::Then CacheVisit::take_unstorable(const caching::Answer& answer, Reason reason) {
  status_.detail = reason;
  cache::Cache& cache = shared_.cache();
  const bool part_is_wanted = filler_ && reason == Reason::kTooLarge && request_.head.fields.has(FieldName::kRange);
  if (claim_ && answer.response.status < 500) {   // it is not what the origin says any more
    claim_ = {};
    cache::FillLock lock = cache.begin_fill(key_, sequence_, shared_.now(), &stored_);
    filler_ = std::move(lock.filler);
  }
  if (filler_) filler_.not_cacheable(shared_.now() + kPassFor);
  filler_ = {};
  claim_ = {};
  may_store_ = false;
  return part_is_wanted ? Then::kAskAgain : Then::kRelay;
}

CacheVisit::Then CacheVisit::store(const caching::Answer& answer, const caching::Storing& storing) {
  if (!lock_variant(storing.vary_list)) return Then::kRelay;
  const http::Fields fields = caching::stored_fields(answer.response, policy_, answer.received);
  const cache::StampList stamps = this->stamps(true);
  const cache::Written written = filler_.set_head({.metadata = metadata_of(storing.freshness),
                                                   .section = section_of(fields),
                                                   .stamps = stamps.stamps(),
                                                   .length = length_of(answer.response.content),
                                                   .keep_until = keep_until(storing.freshness)});
  claim_ = {};
  if (written != cache::Written::ok) {
    filler_.abort();
    status_.detail = Reason::kTooLarge;
    return Then::kRelay;
  }
  stored_ = filler_.response().share();
  freshness_ = storing.freshness;
  fields_ = answer.response.fields;
  if (!fields_->has(FieldName::kDate)) fields_->add(FieldName::kDate, fields.value(FieldName::kDate));
  status_.stored = true;
  is_new_ = true;
  return Then::kServe;
}

cache::StampList CacheVisit::stamps(bool with_tags) const {
  const cache::PurgeStamps& all = shared_.cache().stamps();
  if (!with_tags) return cache::stamps_of(all, primary_->url(), {}, false);
  return cache::stamps_of(all, primary_->url(), tags_->tags(), tags_->overflow);
}

// The right to fill what this answer is stored under: the primary key, or that of a variant. A list that is new is
// published once the lock of the variant is held, so that nobody who reads it fetches the same again.
bool CacheVisit::lock_variant(std::string_view list) {
  if (vary_head_) {
    const auto merged = caching::merge_vary_lists(vary_head_.metadata(), list, request_.arena());
    if (!merged) return give_up(Reason::kVary);
    list = *merged;
  }
  if (list.empty()) return lock_key(primary_->text);
  const auto secondary = caching::secondary_key(list, request_.head.fields);
  if (!secondary) return give_up(Reason::kVaryTooLong);
  const std::string_view variant = request_.arena().concat(primary_->text, *secondary);
  if (vary_head_ && list == vary_head_.metadata()) return lock_key(variant);
  cache::FillLock lock = shared_.cache().begin_fill(variant, sequence_, shared_.now());
  if (!lock.filler || !publish_list(list)) return give_up(Reason::kNone);
  filler_ = std::move(lock.filler);
  key_ = variant;
  return true;
}

bool CacheVisit::lock_key(std::string_view key) {
  if (filler_) return true;
  const cache::StoredResponse* former = stored_ ? &stored_ : passed_ ? &passed_ : nullptr;
  cache::FillLock lock = shared_.cache().begin_fill(key, sequence_, shared_.now(), former);
  filler_ = std::move(lock.filler);
  return static_cast<bool>(filler_);
}

bool CacheVisit::give_up(Reason reason) {
  status_.detail = reason;
  if (filler_) filler_.not_cacheable(shared_.now() + kPassFor);
  filler_ = {};
  return false;
}

bool CacheVisit::publish_list(std::string_view list) {
  const cache::StampList stamps = this->stamps(false);
  const cache::Head head{
      .kind = cache::Kind::vary_head, .metadata = list, .stamps = stamps.stamps(), .length = 0, .keep_until = kForEver};
  if (vary_head_) {
    if (filler_) filler_.abort();   // of the variant by the former list
    return shared_.cache().freshen(vary_head_, head, sequence_) == cache::Written::ok;
  }
  if (!lock_key(primary_->text)) return false;
  const bool written = filler_.set_head(head) == cache::Written::ok;
  if (!written) return filler_.abort(), false;
  return filler_.complete();
}

// RFC 5861 4. Nobody shall queue for an origin that gives no answer.
bool CacheVisit::stands_in() {
  if (filler_ && !asked_) filler_.not_cacheable(shared_.now() + kPassAfterFailure);
  const bool at_hand = stored_ && stored_.has_head() && stored_.state() == cache::State::complete;
  if (!at_hand || !caching::may_serve_on_error(freshness_, control_, shared_.now())) return false;
  stands_in_ = true;
  claim_ = {};
  return true;
}

Fill::Limits fill_limits(const Request& request, const caching::Policy& policy) {
  RelayLimits of_origin{Pace(request.timeouts().between_bytes, 0), Pace(std::nullopt, 0)};
  of_origin.total = request.total;
  return {of_origin, policy.max_object, kPassFor};
}

void CacheVisit::begin_fill(upstream::Incoming incoming, FilledContent* reader) {
  const Fill::Limits limits = fill_limits(request_, policy_);
  Fill::start(request_.proxy.tasks(),
              std::make_unique<Fill>(shared_, std::move(filler_), std::move(incoming), limits, 0), reader);
}

}   // namespace proxyd::proxy
