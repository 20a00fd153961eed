#include <algorithm>
#include <utility>

#include "shared/cache/subjects.h"
#include "worker/caching/groups.h"
#include "worker/caching/hit_for_miss.h"
#include "worker/caching/slices.h"
#include "worker/caching/tags.h"
#include "worker/caching/vary.h"
#include "worker/http/preconditions.h"
#include "worker/proxy/cache_visit.h"
#include "worker/proxy/intermediary_fields.h"
#include "worker/proxy/stored/stored_head.h"

// What the origin's answer does to the cache: it validates what is stored (RFC 9111 4.3), replaces it (3), or is none
// of its business, which is remembered for a while so that nobody queues for it.
namespace proxyd::proxy {
namespace {

using caching::kPassAfterFailure;
using caching::kPassFor;
using http::FieldName;
using Kind = http::ContentLength::Kind;

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
const http::Fields* CacheVisit::begin_asking() {
  asked_ = true;
  asked_for_more_ = false;
  if (!filler_ && !validates()) return nullptr;
  const bool conditional = validates() && !unconditional_;
  const caching::StoredValidators validators = conditional ? stored_validators() : caching::StoredValidators{};
  // What is stored whole is validated whole, lest a part take its place.
  const bool whole = validates() && !freshness_.has(caching::Freshness::kPartial);
  const caching::RangeMode range = whole ? caching::RangeMode::kFull : policy_.range;
  origin_fields_.emplace(caching::origin_request_fields(request_.head.fields, validators, range));
  if (part_ && !part_->rest()) part_.reset();
  if (part_) part_->rest()->ask_by(*origin_fields_);   // RFC 9111 3.3: it is made whole, where the content is the same
  asked_for_more_ = wants_part() && !origin_fields_->has(FieldName::kRange);
  return &*origin_fields_;
}

bool CacheVisit::wants_part() const {
  const http::Fields& fields = request_.head.fields;
  if (!fields.has(FieldName::kRange)) return false;
  return http::select_ranges(fields.combined(FieldName::kRange), UINT64_MAX).kind != http::RangeSelection::Kind::kWhole;
}

bool CacheVisit::would_store(const http::ResponseHead& response, caching::Moment sent) const {
  if (!primary_ || !may_store_ || response.status >= 300) return false;
  return caching::decide_storing({request_.head, response, request_.url(), sent, request_.proxy.moment()}, policy_)
      .stored();
}

CacheVisit::Then CacheVisit::take(http::ResponseHead& response, caching::Moment sent) {
  status_.forward_status = response.status;
  origin_failed_ = caching::is_status_for_stale_if_error(response.status);
  collect_tags(response);
  const caching::Answer answer{request_.head, response, request_.url(), sent, request_.proxy.moment()};
  return primary_ ? take_answer(answer) : Then::kRelay;
}

CacheVisit::Then CacheVisit::take_answer(const caching::Answer& answer) {
  const int status = answer.response.status;
  if (caching::is_status_for_stale_if_error(status) && serve_stale_if_error()) return Then::kServe;
  if (request_.head.method == http::Method::kHead) return take_head(answer);
  if (validates() && status == 304 && !unconditional_) return take_not_modified(answer);
  if (!may_store_ || status == 304) return Then::kRelay;
  if (slice_ && !is_the_slice(answer.response)) return take_no_slice(answer);
  const bool is_get = request_.head.method == http::Method::kGet;
  const bool unasked_part = is_get && status == 206 && !part_ && !request_.head.fields.has(FieldName::kRange);
  if (unasked_part && !std::exchange(asked_again_, true)) return Then::kAskAgain;
  if (part_ && status == 206) return take_rest(answer);
  if (part_ && status == 416) {   // the beginning was all, or it is another content by now
    part_.reset();
    return Then::kAskAgain;
  }
  part_.reset();
  return take_whole(answer);
}

bool CacheVisit::is_the_slice(const http::ResponseHead& response) const {
  const auto slice = response.status == 206 ? caching::slice_of(response.fields, *slice_, policy_.slice) : std::nullopt;
  return slice && length_of(response.content) == slice->range.size();
}

// That an origin has no slices holds for all; what else it says, to this client or just now, is not remembered.
CacheVisit::Then CacheVisit::take_no_slice(const caching::Answer& answer) {
  const int status = answer.response.status;
  if (status >= 200 && status < 300 && may_drop()) return take_unstorable(answer, Reason::kPartial);
  return go_by(answer, status == 206 || status == 200 ? Reason::kPartial : Reason::kStatus, 0);
}

// With what is stored it is the answer to a request for all of it; else it is none.
CacheVisit::Then CacheVisit::take_rest(const caching::Answer& answer) {
  if (!part_->is_completed_by(answer.response)) {
    part_.reset();
    return Then::kAskAgain;
  }
  http::ResponseHead whole = answer.response;
  const auto rest = http::parse_content_range(whole.fields.value(FieldName::kContentRange));
  whole.status = 200;
  whole.reason = {};
  whole.content = {Kind::kKnown, *rest->complete};
  whole.fields.remove(FieldName::kContentRange);
  http::remove_digests(whole.fields);
  const Then then = take_whole({answer.request, whole, answer.url, answer.sent, answer.received});
  if (then != Then::kRelay) return then;
  part_.reset();
  return Then::kAskAgain;   // alone it is no answer
}

CacheVisit::Then CacheVisit::take_whole(const caching::Answer& answer) {
  // It was too large to be stored: without a length it is not tried again for a while.
  const bool was_too_large = hit_for_miss_ && hit_for_miss_.kind() == cache::Kind::too_large;
  if (was_too_large && !length_of(answer.response.content)) return Then::kRelay;
  const caching::Storing storing = caching::decide_storing(answer, policy_);
  return storing.stored() ? store(answer, storing) : take_unstorable(answer, storing.reason);
}

// The tags and groups that purges name, before they are taken from what clients see.
void CacheVisit::collect_tags(http::ResponseHead& response) {
  http::Arena& arena = response.fields.arena();
  auto* tags = new (arena.allocate_array<caching::TagList>(1))
      caching::TagList(caching::response_tags(response.fields, policy_));
  const caching::TagList groups = caching::cache_groups(response.fields);
  for (const std::string_view group : groups.tags()) tags->add(caching::group_tag(request_.url(), group, arena));
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
  serves_ = Serves::kValidated;
  status_.stored = keep(freshened, answer.received);
  end_claim();
  fields_ = freshened.response.fields;
  for (const http::Field& field : answer.response.fields) {
    if (field.known == FieldName::kSetCookie) fields_->add(field);   // of the one who asked alone
  }
  return Then::kServe;
}

// What a 304 or a HEAD brought is written down, or what may not stay is dropped. True when it stays.
bool CacheVisit::keep(const caching::Freshened& freshened, caching::Moment received) {
  const caching::Storing& storing = freshened.storing;
  VariantList variants = this->variants(keep_until(storing.freshness));
  if (!storing.stored() || !variants.covers(storing.vary_list, request_.arena())) {
    status_.detail = storing.reason;
    freshness_.response_time = received.steady;
    freshness_.initial_age = storing.freshness.initial_age;
    if (may_drop()) (void)shared_.cache().drop(key_);
    return false;
  }
  freshness_ = storing.freshness;
  variants.keep();
  cache::StampList stamps = this->stamps();
  // A 304 says some of the tags anew and none of the others: what was one stays one, for too much is purged, not too
  // little.
  if (!stamps.add_others(stored_.stamps())) stamps = stamps_of(shared_.cache().stamps(), primary_->url(), {}, true);
  const cache::Head head{.metadata = metadata_of(freshness_),
                         .section = section_of(freshened.response.fields),
                         .stamps = stamps.stamps(),
                         .length = stored_.length(),
                         .keep_until = keep_until(freshness_)};
  return shared_.cache().freshen(stored_, head, sequence_) == cache::Written::ok;
}

CacheVisit::Then CacheVisit::take_head(const caching::Answer& answer) {
  if (!fits_ || !speaks_for_all_ || stored_.state() != cache::State::complete) return Then::kRelay;
  const caching::HeadEffect effect =
      caching::effect_of_head(answer.response, told_length(answer.response.fields), stored_validators(),
                              freshness_.status, stored_.length().value_or(0));
  if (effect == caching::HeadEffect::kInvalidate && may_drop()) (void)shared_.cache().drop(key_);
  if (effect == caching::HeadEffect::kFreshen)
    (void)keep(caching::freshen(stored_section(), freshness_.status, answer, policy_), answer.received);
  return Then::kRelay;
}

// What the origin says to somebody whom it knows proves nothing about what it says to others.
bool CacheVisit::may_drop() const {
  const http::Fields& fields = request_.head.fields;
  return speaks_for_all_ && !fields.has(FieldName::kAuthorization) && !fields.has(FieldName::kCookie);
}

CacheVisit::Then CacheVisit::take_unstorable(const caching::Answer& answer, Reason reason) {
  const bool is_stale = freshness_.remaining(shared_.now()) <= 0;
  const caching::Unstorable effect = caching::effect_of_unstorable(answer.response.status, is_stale);
  if (claim_ && effect.replaces && may_drop())   // it is not what the origin says any more
    filler_ = std::move(shared_.cache().begin_fill(key_, sequence_, shared_.now(), &stored_).filler);
  const bool remembered = !slice_ || may_drop();   // nobody asks for a slice that is passed
  return go_by(answer, reason, remembered ? effect.pass_for : 0);
}

// Nothing is stored of it: what this request held for others is given back. For so long nobody need queue to meet the
// same; 0: who comes next tries.
CacheVisit::Then CacheVisit::go_by(const caching::Answer& answer, Reason reason, int64_t pass_for) {
  status_.detail = reason;
  may_store_ = false;
  if (filler_ && pass_for > 0) filler_.not_cacheable(shared_.now() + pass_for);
  filler_ = {};
  if (answer.response.status < 500) end_claim();   // else who asks in the background holds it for a while
  // A client that asked for a part of what is not stored gets just that: it is asked for as the client did.
  if (!asked_for_more_ || insists_ || answer.response.status != 200) return Then::kRelay;
  validates_alone_ = false;
  return Then::kAskAgain;
}

CacheVisit::Then CacheVisit::store(const caching::Answer& answer, const caching::Storing& storing) {
  if (selects_by_what_we_set(storing.vary_list, request_)) return take_unstorable(answer, Reason::kVary);
  const bool too_many =
      slice_ ? shared_.alone(AloneFills::kSlices) >= kMostSlices : shared_.alone(AloneFills::kWhole) >= kMostLeftAlone;
  if (may_be_left_alone() && too_many) return go_by(answer, Reason::kBusy, kPassAfterFailure);
  const Reason reason = lock_place(storing);
  if (reason != Reason::kNone) return go_by(answer, reason, kPassFor);
  http::Fields fields = caching::stored_fields(answer.response, policy_, answer.received);
  if (!caching::fit_content_range(fields, length_of(answer.response.content)))
    return go_by(answer, Reason::kContentRange, kPassFor);
  const cache::Written written = write_head(answer, fields, storing.freshness);
  if (written == cache::Written::refused) return go_by(answer, Reason::kTooLarge, kPassAfterFailure);
  if (written != cache::Written::ok) return go_by(answer, Reason::kBusy, kPassAfterFailure);
  claim_ = {};
  if (part_ && !part_->append_to(filler_)) return go_by(answer, Reason::kBusy, 0);
  stored_ = filler_.response().share();
  freshness_ = storing.freshness;
  fields_ = answer.response.fields;
  if (!fields_->has(FieldName::kDate)) fields_->add(FieldName::kDate, fields.value(FieldName::kDate));
  status_.stored = true;
  serves_ = Serves::kNew;
  return Then::kServe;
}

// The right to fill what the answer is stored under.
caching::Reason CacheVisit::lock_place(const caching::Storing& storing) {
  const cache::StoredResponse* former = stored_ ? &stored_ : hit_for_miss_ ? &hit_for_miss_ : nullptr;
  VariantList variants = this->variants(keep_until(storing.freshness));
  VariantList::Place place = variants.lock(storing.vary_list, request_.head.fields, std::move(filler_), former);
  filler_ = std::move(place.filler);
  if (place.reason == Reason::kNone) key_ = place.key;
  return place.reason;
}

cache::Written CacheVisit::write_head(const caching::Answer& answer, const http::Fields& fields,
                                      const caching::Freshness& freshness) {
  const cache::StampList stamps = this->stamps();
  return filler_.set_head({.metadata = metadata_of(freshness),
                           .section = section_of(fields),
                           .stamps = stamps.stamps(),
                           .length = length_of(answer.response.content),
                           .keep_until = keep_until(freshness)});
}

VariantList CacheVisit::variants(int64_t keep_until) const {
  return {shared_, vary_head_, *primary_, sequence_, keep_until};
}

cache::StampList CacheVisit::stamps() const {
  return cache::stamps_of(shared_.cache().stamps(), primary_->url(), tags_->tags(), tags_->overflow);
}

// RFC 5861 4. Nobody shall queue for an origin that gives no answer.
bool CacheVisit::try_stale_if_error() {
  origin_failed_ = true;
  const bool opening = filler_ && filler_.response().state() == cache::State::opening;
  if (opening) filler_.not_cacheable(shared_.now() + kPassAfterFailure);
  return serve_stale_if_error();
}

bool CacheVisit::serve_stale_if_error() {
  const bool at_hand = fits_ && stored_ && stored_.state() == cache::State::complete;
  if (!at_hand || !caching::may_serve_stale_if_error(freshness_, control_, shared_.now())) return false;
  serves_ = Serves::kStaleIfError;
  return true;
}

Fill::Limits fill_limits(const Request& request, const caching::Policy& policy) {
  RelayLimits of_origin{Pace(request.timeouts().between_bytes, 0), Pace(std::nullopt, 0)};
  of_origin.total = request.total;
  return {of_origin, policy.max_object, caching::kPassForSize};
}

void CacheVisit::begin_fill(upstream::Incoming incoming, FilledContent* reader) {
  Fill::Limits limits = fill_limits(request_, policy_);
  if (slice_) limits.kind = AloneFills::kSlices;
  Fill::start(request_.proxy.tasks(),
              std::make_unique<Fill>(shared_, std::move(filler_), std::move(incoming), limits, 0), reader);
}

}   // namespace proxyd::proxy
