#include "worker/caching/slices.h"

#include <algorithm>

#include "worker/http/preconditions.h"

namespace proxyd::caching {

using http::FieldName;

constexpr std::string_view kMark = "\n#slice ";   // before its number

std::optional<Slice> slice_of(const http::Fields& fields, uint64_t number, uint64_t size) {
  const std::string_view etag = fields.value(FieldName::kEtag);
  const auto part = http::parse_content_range(fields.value(FieldName::kContentRange));
  if (!part || part->unsatisfied || !part->complete || !http::strongly_equal(etag, etag)) return std::nullopt;
  const uint64_t complete = *part->complete;
  const bool aligned = part->range.first % size == 0 && part->range.first / size == number;
  const bool full = part->range.last == std::min(complete - 1, part->range.first + size - 1);
  return aligned && full ? std::optional(Slice{part->range, complete, etag}) : std::nullopt;
}

std::string_view range_of_slice(uint64_t number, uint64_t size, http::Arena& arena) {
  return arena.concat("bytes=", arena.number(number * size), "-", arena.number(number * size + size - 1));
}

std::string_view slice_partition(std::string_view partition, uint64_t number, http::Arena& arena) {
  return arena.concat(partition, kMark, arena.number(number));
}

std::string key_of_another_slice(std::string_view key, uint64_t number, uint64_t other) {
  const std::string end = std::string(kMark) + std::to_string(number);
  if (!key.ends_with(end)) return {};
  return std::string(key.substr(0, key.size() - end.size() + kMark.size())) + std::to_string(other);
}

std::optional<uint64_t> first_octet_wanted(std::string_view range_field) {
  constexpr uint64_t kLongest = UINT64_MAX / 2;   // what begins behind it was counted from the end
  if (range_field.empty()) return 0;
  const http::RangeSelection selection = http::select_ranges(range_field, UINT64_MAX);
  if (selection.kind != http::RangeSelection::Kind::kRanges) return 0;
  if (selection.count > 1) return std::nullopt;
  return selection.room[0].first < kLongest ? selection.room[0].first : 0;
}

}   // namespace proxyd::caching
