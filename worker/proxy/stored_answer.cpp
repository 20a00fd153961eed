#include "worker/proxy/stored_answer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "shared/base/bytes.h"
#include "worker/http/status.h"
#include "worker/proxy/slices.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using http::bit_of;
using http::FieldName;
using http::Method;
using Kind = http::ContentLength::Kind;

constexpr uint64_t kConditions =
    bit_of(FieldName::kIfNoneMatch) | bit_of(FieldName::kIfModifiedSince) | bit_of(FieldName::kRange);
// What a 304 says nothing about (RFC 9110 15.4.5).
constexpr uint64_t kOfContent = bit_of(FieldName::kContentType) | bit_of(FieldName::kContentEncoding) |
                                bit_of(FieldName::kContentLength) | bit_of(FieldName::kContentRange);

constexpr uint64_t kOfStoring = bit_of(FieldName::kCacheControl) | bit_of(FieldName::kExpires) |
                                bit_of(FieldName::kPragma) | bit_of(FieldName::kEtag) |
                                bit_of(FieldName::kLastModified);

char* put_number(char* to, uint64_t number) { return std::to_chars(to, to + 20, number).ptr; }

// Whether one of the lines of a section is of that field.
bool has_line(std::string_view section, std::string_view name) {
  while (section.size() > name.size()) {
    if (section[name.size()] == ':' && equals_ignoring_case(section.substr(0, name.size()), name)) return true;
    const size_t end = section.find('\n');
    if (end == std::string_view::npos) return false;
    section.remove_prefix(end + 1);
  }
  return false;
}

}   // namespace

bool StoredAnswer::begin() {
  const caching::Freshness& freshness = visit_.freshness();
  status_ = slices_ ? 200 : freshness.status;
  length_ = whole();
  const bool plain = !visit_.fields() && !visit_.was_validated() && !request_.head.fields.has_any(kConditions) &&
                     !request_.edits_answer() && !freshness.has(caching::Freshness::kPartial);
  if (!plain) return begin_by_fields();
  const std::string_view hsts = request_.hsts();
  const bool replaces = !hsts.empty() && has_line(visit_.stored().section(), kStrictTransportSecurity);
  return replaces ? begin_by_fields() : begin_plainly(hsts);
}

void StoredAnswer::release_heads() {
  visit_.release_heads();
  if (stored_) stored_->let_head_go();
  if (ranges_) ranges_->let_head_go();
  if (slices_) slices_->let_head_go();
}

bool StoredAnswer::leaves_at_once(net::ContentSink& sink) {
  const net::Offer offer = content_->offer(sink.accepts());
  if (offer.state != net::Offer::State::kPiece || !offer.last) return false;
  const net::Taken taken = sink.take(offer.piece, true);
  content_->consumed(taken.octets);
  return taken.state == net::Taken::State::kMore && sink.finished();
}

http::ContentLength StoredAnswer::whole() const {
  if (slices_) return {Kind::kKnown, slices_->whole().complete};
  const std::optional<uint64_t> length = visit_.stored().length();
  return length ? http::ContentLength{Kind::kKnown, *length} : http::ContentLength{Kind::kUnknown};
}

// Most: the stored lines leave as they lie there.
bool StoredAnswer::begin_plainly(std::string_view hsts) {
  set_content(0, std::nullopt);
  const std::array<std::string_view, 3> lines = {
      visit_.stored().section(), varying_lines(),
      hsts.empty() ? hsts : request_.arena().concat(kStrictTransportSecurity, ": ", hsts, "\r\n")};
  return request_.begin_stored(status_, lines, length_);
}

// RFC 9111 5.1: what was not validated for this request tells its age. RFC 9211: what the cache did.
std::string_view StoredAnswer::varying_lines() const {
  http::Arena& arena = request_.arena();
  const bool plain = visit_.is_plain_hit();
  const bool has_status = request_.configuration->document.cache_status;
  const std::string_view status = has_status && !plain ? caching::cache_status_member(visit_.status(), arena) : "";
  constexpr size_t kMostBesideStatus = 96;   // two numbers among it
  char* const begin = arena.allocate_text(kMostBesideStatus + status.size());
  char* at = put_octets(begin, "Age: ");
  at = put_number(at, static_cast<uint64_t>(caching::age_in_seconds(visit_.age())));
  if (has_status && plain) {
    const auto ttl = static_cast<uint64_t>(std::max<int64_t>(visit_.freshness().lifetime - visit_.age(), 0)) / 1000;
    at = put_number(put_octets(at, "\r\nCache-Status: proxyd; hit; ttl="), ttl);
  } else if (has_status) {
    at = put_octets(put_octets(at, "\r\nCache-Status: "), status);
  }
  at = put_octets(at, "\r\n");
  return {begin, static_cast<size_t>(at - begin)};
}

bool StoredAnswer::begin_by_fields() {
  http::Fields fields(request_.arena());
  if (visit_.fields() && !slices_) {
    fields = *visit_.fields();
  } else {
    read_section(visit_.stored().section(), fields);
  }
  if (slices_) {   // what a 206 says of its part alone
    fields.remove(FieldName::kContentRange);
    http::remove_digests(fields);
  }
  decide(fields);
  const bool is_part_of_it = !content_range_.empty() || !content_type_.empty();
  if (is_part_of_it) http::remove_digests(fields);
  if (status_ == 416) make_uncacheable(fields);
  if (status_ == 304) fields.remove_all(kOfContent);
  if (status_ == 304) fields.remove("Content-Language");
  if (!content_range_.empty()) fields.set(to_string(FieldName::kContentRange), content_range_);
  if (!content_type_.empty()) fields.set(to_string(FieldName::kContentType), content_type_);
  add_varying(fields);
  return request_.begin_answer(status_, {}, fields, length_, false);
}

void StoredAnswer::add_varying(http::Fields& fields) const {
  http::Arena& arena = request_.arena();
  const bool was_old = visit_.freshness().initial_age >= 1000;   // when it was validated, by a cache on the way
  const bool as_it_came = !slices_ && visit_.is_new();
  if (!as_it_came && (!visit_.was_validated() || was_old)) {
    fields.remove(FieldName::kAge);
    fields.add(FieldName::kAge, arena.number(static_cast<uint64_t>(caching::age_in_seconds(visit_.age()))));
  }
  if (!request_.configuration->document.cache_status) return;
  fields.add(FieldName::kCacheStatus, caching::cache_status_member(visit_.status(), arena));
}

void StoredAnswer::set_content(uint64_t begin, std::optional<uint64_t> end) {
  end_ = end;
  if (!http::may_have_content(request_.head.method, status_)) {
    content_ = &nothing_.emplace(request_.loop(), "");
  } else if (slices_) {
    content_ = &slices_->give(begin, end.value_or(slices_->whole().complete));
  } else if (visit_.is_new()) {
    content_ = &filled_.emplace(visit_.shared(), visit_.stored().share(), begin, end, visit_);
  } else {
    content_ = &stored_.emplace(visit_.shared(), visit_.stored().share(), begin, end, visit_);
  }
}

// Preconditions first, then ranges (RFC 9110 13.2.2); both are about successful answers alone (13.2.1).
void StoredAnswer::decide(const http::Fields& fields) {
  const http::Fields& asked = request_.head.fields;
  const caching::Freshness& freshness = visit_.freshness();
  const bool successful = status_ >= 200 && status_ < 300;
  const int64_t wall = request_.proxy.wall_clock_ms() / 1000;
  http::Validators validators{.etag = fields.value(FieldName::kEtag), .date = freshness.date};
  if (freshness.last_modified != caching::kNoTime) validators.last_modified = freshness.last_modified;
  if (successful &&
      http::evaluate_preconditions(request_.head.method, asked, validators, wall) == http::Precondition::kNotModified) {
    status_ = 304;
    length_ = {};
    return set_content(0, 0);
  }
  if (!slices_ && freshness.has(caching::Freshness::kPartial)) return decide_part(fields);
  const bool ranged = status_ == 200 && request_.head.method == Method::kGet && asked.has(FieldName::kRange) &&
                      length_.kind == Kind::kKnown && http::if_range_holds(asked, validators, wall);
  if (!ranged) return set_content(0, std::nullopt);
  take_ranges(fields, http::select_ranges(asked.combined(FieldName::kRange), length_.bytes), length_.bytes);
}

// What came with the content says nothing of this; a cache that knows no 416 might keep it by that (RFC 9111 3).
void StoredAnswer::make_uncacheable(http::Fields& fields) const {
  fields.remove_all(kOfContent | kOfStoring);
  fields.remove("Content-Language");
  fields.remove("Content-Location");
  const caching::Policy* policy = request_.configuration->route_policy[request_.matched.route->index];
  for (const std::string& name : policy->targeted) fields.remove(name);
  fields.add(FieldName::kCacheControl, "no-store");
}

// Of a stored part what the client asked of it; the one whose answer it is gets all that came.
void StoredAnswer::decide_part(const http::Fields& fields) {
  const auto part = http::parse_content_range(fields.value(FieldName::kContentRange));
  const auto within =
      part ? caching::range_within(request_.head.fields.combined(FieldName::kRange), *part) : std::nullopt;
  if (visit_.is_new() || !within) return set_content(0, std::nullopt);
  content_range_ = http::write_content_range({*within, part->complete, false}, request_.arena());
  length_ = {Kind::kKnown, within->size()};
  set_content(within->first - part->range.first, within->last + 1 - part->range.first);
}

void StoredAnswer::take_ranges(const http::Fields& fields, const http::RangeSelection& selection, uint64_t length) {
  using Selected = http::RangeSelection::Kind;
  http::Arena& arena = request_.arena();
  if (selection.kind == Selected::kWhole) return set_content(0, std::nullopt);
  if (selection.kind == Selected::kUnsatisfiable) {
    status_ = 416;
    content_range_ = http::write_content_range({{}, length, true}, arena);
    length_ = {Kind::kKnown, 0};
    return set_content(0, 0);
  }
  status_ = 206;
  if (selection.count == 1) {
    const http::ByteRange& range = selection.room[0];
    content_range_ = http::write_content_range({range, length, false}, arena);
    length_ = {Kind::kKnown, range.size()};
    return set_content(range.first, range.last + 1);
  }
  char* const boundary = arena.allocate_text(32);
  const http::MultipartRanges parts(request_.proxy.random_hex(boundary, 32),
                                    arena.copy(fields.value(FieldName::kContentType)), length);
  content_type_ = parts.content_type(arena);
  length_ = {Kind::kKnown, parts.length(selection.ranges())};
  content_ = &ranges_.emplace(visit_.shared(), visit_.stored(), selection, parts, arena, visit_);
}

std::optional<caching::Rest> StoredAnswer::rest(const Relayed& relayed) {
  const bool broke_off = relayed.end == Relayed::End::kSourceFailed && stored_;
  if (!broke_off || visit_.stored().state() == cache::State::complete) return std::nullopt;
  const bool strong = visit_.freshness().has(caching::Freshness::kHasStrongEtag);
  const bool can_go_on = strong && !visit_.freshness().has(caching::Freshness::kPartial);
  if (!can_go_on) return caching::Rest{};
  http::Fields fields(request_.arena());
  read_section(visit_.stored().section(), fields);
  return caching::Rest{fields.value(FieldName::kEtag), stored_->position(), end_, visit_.stored().length()};
}

// Whoever fetches has the origin's deadline; twice that for its followers, in case that it dies and another takes over.
RelayLimits StoredAnswer::limits() const {
  config::MaybeDuration patience = request_.timeouts().between_bytes;
  if (patience) *patience *= 2;
  RelayLimits limits{Pace(patience, 0), Pace(request_.timeouts().client_write, kSlowestClient)};
  if (!visit_.is_stale_if_error()) limits.total = request_.total;   // which may be what ended the wait for another
  limits.throttle = request_.throttle();
  return limits;
}

}   // namespace proxyd::proxy
