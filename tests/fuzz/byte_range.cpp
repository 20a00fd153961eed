#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "worker/http/range.h"

// The first eight octets are the length of a representation. Oracle: every range lies within it, several lie apart, and
// asked for again they are selected again; a Content-Range written again is read as the same.
namespace {

using namespace proxyd::http;

std::string asking_for(const RangeSelection& selection) {
  std::string field = "bytes=";
  for (const ByteRange& range : selection.ranges())
    field += std::to_string(range.first) + "-" + std::to_string(range.last) + ", ";
  return field;
}

void check_ranges(std::string_view field, uint64_t length) {
  const RangeSelection selection = select_ranges(field, length);
  if ((selection.kind == RangeSelection::Kind::kRanges) != (selection.count > 0)) std::abort();
  uint64_t total = 0;
  for (const ByteRange& range : selection.ranges()) {
    if (range.first > range.last || range.last >= length) std::abort();
    total += range.size();
  }
  if (total > length) std::abort();
  if (selection.count == 0) return;
  const RangeSelection again = select_ranges(asking_for(selection), length);
  if (!std::equal(selection.ranges().begin(), selection.ranges().end(), again.ranges().begin(), again.ranges().end()))
    std::abort();
}

void check_content_range(std::string_view value, uint64_t length) {
  const std::optional<ContentRange> range = parse_content_range(value);
  if (!range) return;
  Arena arena;
  if (parse_content_range(write_content_range(*range, arena)) != range) std::abort();
  const std::optional<ContentRange> fitted = fit_to_content(*range, length);
  if (!fitted) return;
  if (fitted->range.size() != length || fitted->range.first != range->range.first) std::abort();
  if (parse_content_range(write_content_range(*fitted, arena)) != fitted) std::abort();
}

}   // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  uint64_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  const std::string_view value(reinterpret_cast<const char*>(data) + sizeof length, size - sizeof length);
  check_ranges(value, length);
  check_content_range(value, length);
  return 0;
}
