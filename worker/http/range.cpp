#include "worker/http/range.h"

#include <algorithm>

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::http {
namespace {

// Ranges nearer than this are sent as one: what lies between costs less than another part's head.
constexpr uint64_t kNear = 80;

// Digits alone; what does not fit is the greatest there is.
std::optional<uint64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  return value;
}

// Behind "bytes" and the sign; nothing for another unit.
std::optional<std::string_view> behind_unit(std::string_view value, char sign) {
  constexpr std::string_view kUnit = "bytes";
  if (value.size() <= kUnit.size() || value[kUnit.size()] != sign) return std::nullopt;
  if (!equals_ignoring_case(value.substr(0, kUnit.size()), kUnit)) return std::nullopt;
  return value.substr(kUnit.size() + 1);
}

// One member of a Range field. `valid` but without a range: there is nothing of it in the representation.
struct Asked {
  bool valid = false;
  std::optional<ByteRange> range;
};

Asked parse_asked(std::string_view member, uint64_t length) {
  const size_t dash = member.find('-');
  if (dash == std::string_view::npos) return {};
  const std::optional<uint64_t> first = parse_position(member.substr(0, dash));
  const std::optional<uint64_t> last = parse_position(member.substr(dash + 1));
  if (dash == 0) {
    if (!last) return {};
    if (*last == 0 || length == 0) return {true, std::nullopt};
    return {true, ByteRange{length - std::min(*last, length), length - 1}};
  }
  const bool open = dash + 1 == member.size();
  if (!first || (!last && !open) || (last && *last < *first)) return {};
  if (*first >= length) return {true, std::nullopt};
  return {true, ByteRange{*first, std::min(last.value_or(UINT64_MAX), length - 1)}};
}

bool are_near(const ByteRange& lower, const ByteRange& upper) {
  return upper.first <= lower.last || upper.first - lower.last <= kNear;
}

// In ascending order, each apart from the next; left as they are when they were apart already.
size_t coalesce(std::span<ByteRange> ranges) {
  std::array<ByteRange, kMostRangesAsked> sorted;
  const auto end = std::copy(ranges.begin(), ranges.end(), sorted.begin());
  std::sort(sorted.begin(), end, [](const ByteRange& a, const ByteRange& b) { return a.first < b.first; });
  size_t count = 0;
  for (auto range = sorted.begin(); range != end; ++range) {
    if (count > 0 && are_near(sorted[count - 1], *range))
      sorted[count - 1].last = std::max(sorted[count - 1].last, range->last);
    else
      sorted[count++] = *range;
  }
  if (count < ranges.size()) std::copy_n(sorted.begin(), count, ranges.begin());
  return count;
}

size_t digits_of(uint64_t value) {
  size_t digits = 1;
  for (; value >= 10; value /= 10) ++digits;
  return digits;
}

}   // namespace

std::optional<ContentRange> parse_content_range(std::string_view value) {
  const std::optional<std::string_view> text = behind_unit(value, ' ');
  if (!text) return std::nullopt;
  const size_t slash = text->find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  ContentRange result;
  const std::string_view complete = text->substr(slash + 1);
  if (complete != "*") {
    result.complete = parse_position(complete);
    if (!result.complete) return std::nullopt;
  }
  const std::string_view range = text->substr(0, slash);
  if (range == "*") {
    result.unsatisfied = true;
    return result.complete ? std::optional(result) : std::nullopt;
  }
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> first = parse_position(range.substr(0, dash));
  const std::optional<uint64_t> last = parse_position(range.substr(dash + 1));
  if (!first || !last || *last < *first || *last == UINT64_MAX) return std::nullopt;
  if (result.complete && *last >= *result.complete) return std::nullopt;
  result.range = {*first, *last};
  return result;
}

std::string_view write_content_range(const ContentRange& content_range, Arena& arena) {
  const std::string_view complete = content_range.complete ? arena.number(*content_range.complete) : "*";
  if (content_range.unsatisfied) return arena.concat("bytes */", complete);
  return arena.concat("bytes ", arena.number(content_range.range.first), "-", arena.number(content_range.range.last),
                      "/", complete);
}

void remove_digests(Fields& fields) {
  fields.remove("Content-Digest");
  fields.remove("Content-MD5");
}

std::optional<ContentRange> fit_to_content(const ContentRange& part, uint64_t content_length) {
  if (part.unsatisfied || content_length == 0 || content_length > UINT64_MAX - 1 - part.range.first)
    return std::nullopt;
  if (part.range.size() == content_length) return part;
  ContentRange fitted = part;
  const bool was_the_end = part.complete == part.range.last + 1;
  fitted.range.last = part.range.first + content_length - 1;
  if (was_the_end || (fitted.complete && fitted.range.last >= *fitted.complete))
    fitted.complete = fitted.range.last + 1;
  return fitted;
}

RangeSelection select_ranges(std::string_view range_field, uint64_t complete_length) {
  const std::optional<std::string_view> set = behind_unit(range_field, '=');
  if (!set) return {};
  std::array<ByteRange, kMostRangesAsked> ranges;
  size_t asked = 0;
  size_t count = 0;
  ListMembers members(*set);
  std::string_view member;
  while (members.next(member)) {
    const Asked one = parse_asked(member, complete_length);
    if (!one.valid || ++asked > kMostRangesAsked) return {};
    if (one.range) ranges[count++] = *one.range;
  }
  if (asked == 0) return {};
  RangeSelection selection;
  if (count == 0) {
    selection.kind = RangeSelection::Kind::kUnsatisfiable;
    return selection;
  }
  if (count > 1) count = coalesce({ranges.data(), count});
  if (count > kMostRangesSent) return {};
  selection.kind = RangeSelection::Kind::kRanges;
  selection.count = count;
  std::copy_n(ranges.begin(), count, selection.room.begin());
  return selection;
}

std::string_view MultipartRanges::content_type(Arena& arena) const {
  return arena.concat("multipart/byteranges; boundary=", boundary_);
}

std::string_view MultipartRanges::head(const ByteRange& range, bool first, Arena& arena) const {
  const std::string_view type_label = content_type_.empty() ? "" : "\r\nContent-Type: ";
  return arena.concat(first ? "--" : "\r\n--", boundary_, type_label, content_type_,
                      "\r\nContent-Range: ", write_content_range({range, complete_length_, false}, arena), "\r\n\r\n");
}

std::string_view MultipartRanges::end(Arena& arena) const { return arena.concat("\r\n--", boundary_, "--\r\n"); }

uint64_t MultipartRanges::length(std::span<const ByteRange> ranges) const {
  constexpr std::string_view kTypeLabel = "\r\nContent-Type: ";
  constexpr std::string_view kRangeLabel = "\r\nContent-Range: bytes -/\r\n\r\n";
  uint64_t total = 0;
  for (const ByteRange& range : ranges) {
    total += 4 + boundary_.size() + (content_type_.empty() ? 0 : kTypeLabel.size() + content_type_.size());
    total += kRangeLabel.size() + digits_of(range.first) + digits_of(range.last) + digits_of(complete_length_);
    total += range.size();
  }
  return total - 2 + boundary_.size() + 8;   // the first part has no line end before it
}

}   // namespace proxyd::http
