#include "worker/proxy/cache_update.h"

#include <algorithm>
#include <utility>

#include "worker/caching/groups.h"
#include "worker/caching/hit_for_miss.h"
#include "worker/caching/slices.h"
#include "worker/caching/vary.h"
#include "worker/http/preconditions.h"
#include "worker/proxy/intermediary_fields.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using caching::kPassAfterFailure;
using caching::kPassFor;
using http::FieldName;
using Kind = http::ContentLength::Kind;

static_assert(caching::kMostTags == cache::kMostTagStamps);

constexpr size_t kMostLeftAlone = 64;   // fetches of a worker that go on without a reader
constexpr size_t kMostSlices = 1024;    // the same of slices, which are no longer than the policy says

std::optional<uint64_t> length_of(const http::ContentLength& content) {
  if (content.kind == Kind::kNone) return 0;
  return content.kind == Kind::kKnown ? std::optional(content.bytes) : std::nullopt;
}

// The client's own fields are what variants are selected by; what we set in their place may be another for each client.
bool selects_by_what_we_set(std::string_view list, const Request& request) {
  if (list.empty()) return false;
  const auto named = [list](const auto& name) { return caching::names_field(list, name); };
  const std::vector<std::string>& edited = request.matched.route->request_edits.varying();
  return std::any_of(kFieldsOfOneRequest.begin(), kFieldsOfOneRequest.end(), named) ||
         std::any_of(edited.begin(), edited.end(), named);
}

std::optional<uint64_t> told_length(const http::Fields& fields) {
  uint64_t length = 0;
  const std::string_view text = fields.value(FieldName::kContentLength);
  for (const char c : text) length = length * 10 + static_cast<uint64_t>(c - '0');
  return text.empty() ? std::nullopt : std::optional(length);
}

bool wants_part(const http::Fields& fields) {
  if (!fields.has(FieldName::kRange)) return false;
  return http::select_ranges(fields.combined(FieldName::kRange), UINT64_MAX).kind != http::RangeSelection::Kind::kWhole;
}

// Which are of the one who asked alone, and in no stored fields.
void add_cookies(const http::Fields& from, http::Fields& to) {
  for (const http::Field& field : from) {
    if (field.known == FieldName::kSetCookie) to.add(field);
  }
}

// A client that wants little of it is answered long before the fetch ends.
bool may_be_left_alone(const http::Fields& fields) {
  return fields.has_any(http::bit_of(FieldName::kRange) | http::bit_of(FieldName::kIfNoneMatch) |
                        http::bit_of(FieldName::kIfModifiedSince));
}

}   // namespace

// Whoever only passes by asks as the client did: the answer is the client's alone.
const http::Fields* CacheUpdate::begin_asking() {
  held_.asked = true;
  asked_for_more_ = false;
  if (!held_.duty.is_for_cache()) return nullptr;
  const http::Fields& asked = held_.request.head.fields;
  const bool revalidates = held_.duty.revalidates();
  const bool conditional = revalidates && !unconditional_;
  const caching::StoredValidators validators = conditional ? held_.stored_validators() : caching::StoredValidators{};
  // What is stored whole is validated whole, lest a part take its place.
  const bool whole = revalidates && !held_.freshness.has(caching::Freshness::kPartial);
  const caching::RangeMode range = whole ? caching::RangeMode::kFull : held_.policy.range;
  origin_fields_.emplace(caching::origin_request_fields(asked, validators, range));
  if (held_.part && !held_.part->rest()) held_.part.reset();
  if (held_.part)
    held_.part->rest()->ask_by(*origin_fields_);   // RFC 9111 3.3: it is made whole, where the content is the same
  asked_for_more_ = wants_part(asked) && !origin_fields_->has(FieldName::kRange);
  return &*origin_fields_;
}

bool CacheUpdate::would_store(const http::ResponseHead& response, caching::Moment sent) const {
  if (!held_.primary || !held_.may_store || response.status >= 300) return false;
  const Request& request = held_.request;
  return caching::decide_storing({request.head, response, request.url(), sent, request.proxy.moment()}, held_.policy)
      .stored();
}

CacheUpdate::Then CacheUpdate::take(http::ResponseHead& response, caching::Moment sent) {
  held_.status.forward_status = response.status;
  held_.origin_failed = caching::is_status_for_stale_if_error(response.status);
  collect_tags(response);
  const caching::Answer answer{held_.request.head, response, held_.request.url(), sent, held_.request.proxy.moment()};
  return held_.primary ? take_answer(answer) : Then::kRelay;
}

CacheUpdate::Then CacheUpdate::take_answer(const caching::Answer& answer) {
  const int status = answer.response.status;
  if (caching::is_status_for_stale_if_error(status) && held_.serve_stale_if_error()) return Then::kServe;
  if (held_.request.head.method == http::Method::kHead) return take_head(answer);
  if (held_.duty.revalidates() && status == 304 && !unconditional_) return take_not_modified(answer);
  if (!held_.may_store || status == 304) return Then::kRelay;
  if (held_.slice && !is_the_slice(answer.response)) return take_no_slice(answer);
  const bool is_get = held_.request.head.method == http::Method::kGet;
  const bool unasked_part = is_get && status == 206 && !held_.part && !held_.request.head.fields.has(FieldName::kRange);
  if (unasked_part && !std::exchange(asked_again_, true)) return Then::kAskAgain;
  if (held_.part && status == 206) return take_rest(answer);
  if (held_.part && status == 416) {   // the beginning was all, or it is another content by now
    held_.part.reset();
    return Then::kAskAgain;
  }
  held_.part.reset();
  return take_whole(answer);
}

bool CacheUpdate::is_the_slice(const http::ResponseHead& response) const {
  const auto slice =
      response.status == 206 ? caching::slice_of(response.fields, *held_.slice, held_.policy.slice) : std::nullopt;
  return slice && length_of(response.content) == slice->range.size();
}

// That an origin has no slices holds for all; what else it says, to this client or just now, is not remembered.
CacheUpdate::Then CacheUpdate::take_no_slice(const caching::Answer& answer) {
  const int status = answer.response.status;
  if (status >= 200 && status < 300 && may_drop()) return take_unstorable(answer, Reason::kPartial);
  return go_by(answer, status == 206 || status == 200 ? Reason::kPartial : Reason::kStatus, 0);
}

// With what is stored it is the answer to a request for all of it, by the fields of both (RFC 9111 3.4): it need not
// say again what it said of the first part. Else it is none.
CacheUpdate::Then CacheUpdate::take_rest(const caching::Answer& answer) {
  if (!held_.part->is_completed_by(answer.response)) {
    held_.part.reset();
    return Then::kAskAgain;
  }
  http::ResponseHead whole = answer.response;
  const auto rest = http::parse_content_range(whole.fields.value(FieldName::kContentRange));
  whole.status = 200;
  whole.reason = {};
  whole.content = {Kind::kKnown, *rest->complete};
  http::Arena& arena = whole.fields.arena();
  whole.fields = caching::updated(held_.part->fields(arena), answer.response.fields, arena);
  add_cookies(answer.response.fields, whole.fields);
  whole.fields.remove(FieldName::kContentRange);
  http::remove_digests(whole.fields);
  const Then then = take_whole({answer.request, whole, answer.url, answer.sent, answer.received});
  if (then != Then::kRelay) return then;
  held_.part.reset();
  return Then::kAskAgain;   // alone it is no answer
}

CacheUpdate::Then CacheUpdate::take_whole(const caching::Answer& answer) {
  // It was too large to be stored: without a length it is not tried again for a while.
  const bool was_too_large = held_.hit_for_miss && held_.hit_for_miss.kind() == cache::Kind::too_large;
  if (was_too_large && !length_of(answer.response.content)) return Then::kRelay;
  const caching::Storing storing = caching::decide_storing(answer, held_.policy);
  return storing.stored() ? store(answer, storing) : take_unstorable(answer, storing.reason);
}

// The tags and groups that purges name, before the tags are taken from what clients see.
void CacheUpdate::collect_tags(http::ResponseHead& response) {
  http::Arena& arena = response.fields.arena();
  const caching::TagList groups = caching::cache_groups(response.fields);   // whose field may be named for tags as well
  tags_ = {};
  if (caching::has_tag_field(response.fields, held_.policy)) {
    tags_ = caching::response_tags(response.fields, held_.policy);
    if (!held_.policy.expose_tags) {
      for (const std::string& name : held_.policy.tag_headers) response.fields.remove(name);
    }
  }
  for (const std::string_view group : groups.tags())
    tags_.add(caching::group_tag(held_.request.url(), group, arena), arena);
  if (groups.overflowed()) tags_.overflow();
}

CacheUpdate::Then CacheUpdate::take_not_modified(const caching::Answer& answer) {
  if (!caching::is_freshened_by(answer.response.fields, held_.stored_validators())) {
    unconditional_ = true;
    return Then::kAskAgain;
  }
  const caching::Freshened freshened =
      caching::freshen(held_.stored_section(), held_.freshness.status, answer, held_.policy);
  held_.serves = Holding::Serves::kValidated;
  held_.status.stored = keep(freshened, answer.received);
  if (held_.status.stored) held_.duty.end_claim();
  held_.give_up_duty();
  fields_ = freshened.response.fields;
  add_cookies(answer.response.fields, *fields_);
  return Then::kServe;
}

// What a 304 or a HEAD brought is written down, or what may not stay is dropped. True when it stays.
bool CacheUpdate::keep(const caching::Freshened& freshened, caching::Moment received) {
  const caching::Storing& storing = freshened.storing;
  VariantList variants = this->variants(keep_until(storing.freshness));
  if (!storing.stored() || !variants.covers(storing.vary_list, held_.request.arena())) {
    held_.status.detail = storing.reason;
    held_.freshness.response_time = received.steady;
    held_.freshness.initial_age = storing.freshness.initial_age;
    if (may_drop()) (void)held_.shared.cache().drop(held_.key);
    return false;
  }
  held_.freshness = storing.freshness;
  variants.keep();
  const cache::StampList stamps = stamps_with_former();
  const cache::Head head{.metadata = metadata_of(held_.freshness),
                         .section = section_of(freshened.response.fields),
                         .stamps = stamps.stamps(),
                         .length = held_.stored.length(),
                         .keep_until = keep_until(held_.freshness)};
  const cache::Written written = held_.shared.cache().freshen(held_.stored, head, held_.sequence);
  const bool for_all = held_.duty.role() == Role::kRevalidates;
  if (for_all && written == cache::Written::superseded) withdraw_if_newest();
  return written == cache::Written::ok;
}

// Slow readers hold so many former heads that it has no place for another: then it is fetched anew, once for all, lest
// it be validated by everyone until they end.
void CacheUpdate::withdraw_if_newest() {
  const cache::Progress progress = held_.stored.progress();
  if (!progress.dead && !progress.freshened) (void)held_.shared.cache().withdraw(held_.stored);
}

CacheUpdate::Then CacheUpdate::take_head(const caching::Answer& answer) {
  if (!held_.fits || !held_.speaks_for_all || held_.stored.state() != cache::State::complete) return Then::kRelay;
  const caching::HeadEffect effect =
      caching::effect_of_head(answer.response, told_length(answer.response.fields), held_.stored_validators(),
                              held_.freshness.status, held_.stored.length().value_or(0));
  if (effect == caching::HeadEffect::kInvalidate && may_drop()) (void)held_.shared.cache().drop(held_.key);
  if (effect == caching::HeadEffect::kFreshen)
    (void)keep(caching::freshen(held_.stored_section(), held_.freshness.status, answer, held_.policy), answer.received);
  return Then::kRelay;
}

// What the origin says to somebody whom it knows proves nothing about what it says to others.
bool CacheUpdate::may_drop() const {
  const http::Fields& fields = held_.request.head.fields;
  return held_.speaks_for_all && !fields.has(FieldName::kAuthorization) && !fields.has(FieldName::kCookie);
}

CacheUpdate::Then CacheUpdate::take_unstorable(const caching::Answer& answer, Reason reason) {
  const caching::Unstorable effect = caching::effect_of_unstorable(answer.response.status);
  const bool for_all = held_.duty.role() == Role::kRevalidates;
  if (for_all && effect.replaces && may_drop()) {   // it is not what the origin says any more
    cache::Cache& cache = held_.shared.cache();
    held_.duty.fill(cache.begin_fill(held_.key, held_.sequence, held_.shared.now(), &held_.stored).filler);
  }
  const bool remembered = !held_.slice || may_drop();   // nobody asks for a slice that is passed
  return go_by(answer, reason, remembered ? effect.pass_for : 0);
}

// Nothing is stored of it: what this request held for others is given back. For so long nobody need queue to meet the
// same; 0: who comes next tries.
CacheUpdate::Then CacheUpdate::go_by(const caching::Answer& answer, Reason reason, int64_t pass_for) {
  held_.status.detail = reason;
  held_.may_store = false;
  held_.duty.stop_filling(pass_for > 0 ? held_.shared.now() + pass_for : 0);
  if (answer.response.status < 500) held_.give_up_duty();   // else who asks in the background keeps a claim for a while
  // A client that asked for a part of what is not stored gets just that: it is asked for as the client did.
  const bool as_asked = !asked_for_more_ || held_.insists || answer.response.status != 200;
  return as_asked ? Then::kRelay : Then::kAskAgain;
}

CacheUpdate::Then CacheUpdate::store(const caching::Answer& answer, const caching::Storing& storing) {
  if (selects_by_what_we_set(storing.vary_list, held_.request)) return take_unstorable(answer, Reason::kVary);
  if (may_be_left_alone(held_.request.head.fields) && are_too_many_alone())
    return go_by(answer, Reason::kBusy, kPassAfterFailure);
  const Reason reason = lock_place(storing);
  if (reason != Reason::kNone) return go_by(answer, reason, kPassFor);
  http::Fields fields = caching::stored_fields(answer.response, held_.policy, answer.received);
  if (!caching::fit_content_range(fields, length_of(answer.response.content)))
    return go_by(answer, Reason::kContentRange, kPassFor);
  const cache::Written written = write_head(answer, fields, storing.freshness);
  if (written == cache::Written::refused) return go_by(answer, Reason::kTooLarge, kPassAfterFailure);
  if (written != cache::Written::ok) return go_by(answer, Reason::kBusy, kPassAfterFailure);
  held_.duty.end_claim();
  if (held_.part && !held_.part->append_to(held_.duty.filler())) return go_by(answer, Reason::kBusy, 0);
  held_.stored = held_.duty.filler().response().share();
  held_.freshness = storing.freshness;
  fields_ = answer.response.fields;
  if (!fields_->has(FieldName::kDate)) fields_->add(FieldName::kDate, fields.value(FieldName::kDate));
  held_.status.stored = true;
  held_.serves = Holding::Serves::kNew;
  return Then::kServe;
}

bool CacheUpdate::are_too_many_alone() const {
  if (held_.slice) return held_.shared.alone(AloneFills::kSlices) >= kMostSlices;
  return held_.shared.alone(AloneFills::kWhole) >= kMostLeftAlone;
}

// The right to fill what the answer is stored under.
caching::Reason CacheUpdate::lock_place(const caching::Storing& storing) {
  const cache::StoredResponse* former = held_.stored         ? &held_.stored
                                        : held_.hit_for_miss ? &held_.hit_for_miss
                                                             : nullptr;
  VariantList variants = this->variants(keep_until(storing.freshness));
  const http::Fields& asked = held_.request.head.fields;
  VariantList::Place place = variants.lock(storing.vary_list, asked, held_.duty.hand_over(), former);
  held_.duty.fill(std::move(place.filler));
  if (place.reason == Reason::kNone) held_.key = place.key;
  return place.reason;
}

cache::Written CacheUpdate::write_head(const caching::Answer& answer, const http::Fields& fields,
                                       const caching::Freshness& freshness) {
  const cache::StampList stamps = held_.part ? stamps_with_former() : this->stamps();
  return held_.duty.filler().set_head({.metadata = metadata_of(freshness),
                                       .section = section_of(fields),
                                       .stamps = stamps.stamps(),
                                       .length = length_of(answer.response.content),
                                       .keep_until = keep_until(freshness)});
}

VariantList CacheUpdate::variants(int64_t keep_until) const {
  return {held_.shared, held_.vary_head, *held_.primary, held_.sequence, keep_until};
}

cache::StampList CacheUpdate::stamps() const {
  return cache::stamps_of(held_.shared.cache().stamps(), held_.primary->url(), tags_.tags(), tags_.overflowed());
}

// A 304 or a rest says some of the tags anew and none of the others: what was one stays one, for too much is purged,
// not too little.
cache::StampList CacheUpdate::stamps_with_former() const {
  cache::StampList stamps = this->stamps();
  const bool all = stamps.add_others(held_.stored.stamps());
  return all ? stamps : stamps_of(held_.shared.cache().stamps(), held_.primary->url(), {}, true);
}

}   // namespace proxyd::proxy
