#include "worker/caching/revalidation.h"

#include "shared/base/bytes.h"
#include "worker/http/preconditions.h"

namespace proxyd::caching {
namespace {

using http::bit_of;
using http::FieldName;

constexpr uint64_t kPreconditions = bit_of(FieldName::kIfNoneMatch) | bit_of(FieldName::kIfModifiedSince) |
                                    bit_of(FieldName::kIfMatch) | bit_of(FieldName::kIfUnmodifiedSince);
constexpr uint64_t kRanges = bit_of(FieldName::kRange) | bit_of(FieldName::kIfRange);
constexpr uint64_t kNeverUpdated = bit_of(FieldName::kContentEncoding) | bit_of(FieldName::kContentLength) |
                                   bit_of(FieldName::kContentRange) | bit_of(FieldName::kSetCookie);

bool is_replaced(const http::Field& stored, const http::Fields& update) {
  return stored.known != FieldName::kOther ? update.has(stored.known) : update.find(stored.name) != nullptr;
}

bool differs(std::string_view one, std::string_view other) { return !one.empty() && !other.empty() && one != other; }

}   // namespace

http::Fields updated(const http::Fields& stored, http::Fields update, http::Arena& arena) {
  update.remove_all(kNeverUpdated);
  http::Fields fields(arena);
  for (const http::Field& field : stored) {
    if (!is_replaced(field, update)) fields.add(field);
  }
  for (const http::Field& field : update) fields.add(field);
  return fields;
}

http::Fields origin_request_fields(const http::Fields& request_fields, const StoredValidators& stored,
                                   RangeMode range) {
  const uint64_t unwanted = kPreconditions | (range == RangeMode::kPass ? 0 : kRanges);
  http::Fields fields(request_fields.arena());
  for (const http::Field& field : request_fields) {
    if ((bit_of(field.known) & unwanted) == 0) fields.add(field);
  }
  if (!stored.etag.empty()) fields.add(FieldName::kIfNoneMatch, stored.etag);
  if (!stored.last_modified.empty()) fields.add(FieldName::kIfModifiedSince, stored.last_modified);
  return fields;
}

bool is_freshened_by(const http::Fields& not_modified, const StoredValidators& stored) {
  const std::string_view etag = not_modified.value(FieldName::kEtag);
  if (!etag.empty()) {
    const bool weak = etag.starts_with("W/");
    return weak ? http::weakly_equal(etag, stored.etag) : http::strongly_equal(etag, stored.etag);
  }
  return !differs(not_modified.value(FieldName::kLastModified), stored.last_modified);
}

Freshened freshen(const http::Fields& stored_fields, int stored_status, const Answer& answer, const Policy& policy) {
  http::Arena& arena = answer.response.fields.arena();
  http::ResponseHead merged(arena);
  merged.status = stored_status;
  merged.version = answer.response.version;
  merged.fields = updated(stored_fields, caching::stored_fields(answer.response, policy, answer.received), arena);
  const Answer renewed{answer.request, merged, answer.url, answer.sent, answer.received};
  Freshened freshened{merged, decide_keeping(renewed, policy)};
  // Age counts, though it is not stored.
  freshened.storing.freshness.initial_age = corrected_initial_age(answer.response.fields, answer.sent, answer.received);
  return freshened;
}

HeadEffect effect_of_head(const http::ResponseHead& response, std::optional<uint64_t> told_length,
                          const StoredValidators& stored, int stored_status, uint64_t stored_length) {
  if (response.status != 200 || stored_status != 200) return HeadEffect::kNone;
  const std::string_view etag = response.fields.value(FieldName::kEtag);
  const std::string_view modified = response.fields.value(FieldName::kLastModified);
  // One that is not stored would become that of a content it may not be of.
  const bool other = (!etag.empty() && etag != stored.etag) ||
                     (!modified.empty() && modified != stored.last_modified) ||
                     (told_length && *told_length != stored_length);
  return other ? HeadEffect::kInvalidate : HeadEffect::kFreshen;
}

std::optional<http::ByteRange> range_within(std::string_view range_field, const http::ContentRange& part) {
  if (part.unsatisfied) return std::nullopt;
  const http::RangeSelection selection = http::select_ranges(range_field, part.complete.value_or(UINT64_MAX));
  if (selection.count != 1 || !part.range.holds(selection.room[0])) return std::nullopt;
  return selection.room[0];
}

}   // namespace proxyd::caching
