#include "worker/caching/slices.h"

#include <algorithm>

#include "worker/caching/bypass.h"
#include "worker/http/preconditions.h"

namespace proxyd::caching {

using http::FieldName;

constexpr std::string_view kMark = "\n#slice ";   // before size and number, "4194304:7"

std::optional<Slice> slice_of(const http::Fields& fields, uint64_t number, uint64_t size) {
  const std::string_view etag = fields.value(FieldName::kEtag);
  const auto part = http::parse_content_range(fields.value(FieldName::kContentRange));
  if (!part || part->unsatisfied || !part->complete || !http::strongly_equal(etag, etag)) return std::nullopt;
  const uint64_t complete = *part->complete;
  const bool aligned = part->range.first % size == 0 && part->range.first / size == number;
  const bool full = part->range.last == std::min(complete - 1, part->range.first + size - 1);
  return aligned && full ? std::optional(Slice{part->range, complete, etag}) : std::nullopt;
}

std::string range_of_slice(uint64_t number, uint64_t size) {
  return "bytes=" + std::to_string(number * size) + "-" + std::to_string(number * size + size - 1);
}

std::string_view slice_partition(std::string_view partition, uint64_t number, uint64_t size, http::Arena& arena) {
  return arena.concat(partition, kMark, arena.number(size), ":", arena.number(number));
}

std::string key_of_another_slice(std::string_view key, uint64_t number, uint64_t other) {
  const std::string end = ":" + std::to_string(number);
  const size_t mark = key.rfind(kMark);
  const bool varies = mark == std::string_view::npos || key.find('\n', mark + 1) != std::string_view::npos;
  if (varies || !key.ends_with(end)) return {};
  return std::string(key.substr(0, key.size() - end.size() + 1)) + std::to_string(other);
}

std::optional<uint64_t> first_octet_wanted(std::string_view range_field) {
  constexpr uint64_t kLongest = UINT64_MAX / 2;   // what begins behind it was counted from the end
  if (range_field.empty()) return 0;
  if (range_field.find(',') != std::string_view::npos) return std::nullopt;
  const http::RangeSelection selection = http::select_ranges(range_field, UINT64_MAX);
  if (selection.kind != http::RangeSelection::Kind::kRanges) return 0;
  return selection.room[0].first < kLongest ? selection.room[0].first : 0;
}

std::optional<uint64_t> octet_to_begin_with(const http::RequestHead& request, const Policy& policy) {
  if (policy.slice == 0 || why_bypassed(request, policy) != Reason::kNone) return std::nullopt;
  if (request.method == http::Method::kHead) return 0;   // to which Range means nothing (RFC 9110 14.2)
  return first_octet_wanted(request.fields.combined(FieldName::kRange));
}

}   // namespace proxyd::caching
