#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "worker/http/arena.h"
#include "worker/http/fields.h"

namespace proxyd::http {

// Octets of a representation, both ends included (RFC 9110 14.1.2).
struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;

  uint64_t size() const { return last - first + 1; }
  bool holds(const ByteRange& other) const { return first <= other.first && other.last <= last; }
  bool operator==(const ByteRange&) const = default;
};

// Content-Range (RFC 9110 14.4): what of the whole a 206 has, or the length that a 416 tells.
struct ContentRange {
  ByteRange range;
  std::optional<uint64_t> complete;   // the length of the whole, where it is known
  bool unsatisfied = false;           // "bytes */N": there is no range

  bool operator==(const ContentRange&) const = default;
};

// Nothing for another unit, what is malformed, or a range beyond its own whole.
std::optional<ContentRange> parse_content_range(std::string_view value);
// "bytes 0-4/10", "bytes 0-4/*", "bytes */10".
std::string_view write_content_range(const ContentRange& content_range, Arena& arena);

// What is said of the octets of one content (RFC 9530 2, and Content-MD5): of a part it says nothing about the whole,
// of the whole nothing about a part.
void remove_digests(Fields& fields);

// What came with a part counts: a part that has fewer or more octets than its Content-Range said ends where they end,
// and so does the whole, if the part was said to be its end. Nothing for a part without an octet.
std::optional<ContentRange> fit_to_content(const ContentRange& part, uint64_t content_length);

inline constexpr size_t kMostRangesAsked = 100;
inline constexpr size_t kMostRangesSent = 16;

// What a Range field asks of a representation. kWhole: the field is to be ignored, because its unit is unknown, it is
// malformed, or it asks for so many ranges that answering would cost more than the whole (RFC 9110 14.2). Ranges that
// overlap or lie nearer than a part's head is long are made one, in ascending order; others stay in the order asked.
struct RangeSelection {
  enum class Kind : uint8_t { kWhole, kRanges, kUnsatisfiable };

  Kind kind = Kind::kWhole;
  std::array<ByteRange, kMostRangesSent> room{};
  size_t count = 0;

  std::span<const ByteRange> ranges() const& { return {room.data(), count}; }
  std::span<const ByteRange> ranges() && = delete;   // a view into a temporary
};

RangeSelection select_ranges(std::string_view range_field, uint64_t complete_length);

// The heads and the end of a multipart/byteranges content (RFC 9110 14.6), whose parts are octets of the whole.
class MultipartRanges {
 public:
  // `boundary`: a token that the content does not hold, made at random. Views outlive this.
  MultipartRanges(std::string_view boundary, std::string_view content_type, uint64_t complete_length)
      : boundary_(boundary), content_type_(content_type), complete_length_(complete_length) {}

  // "multipart/byteranges; boundary=..."
  std::string_view content_type(Arena& arena) const;
  // What stands before a part's octets; the first one has no line end before it.
  std::string_view head(const ByteRange& range, bool first, Arena& arena) const;
  std::string_view end(Arena& arena) const;
  // Of the content with all its parts.
  uint64_t length(std::span<const ByteRange> ranges) const;

 private:
  std::string_view boundary_;
  std::string_view content_type_;
  uint64_t complete_length_;
};

}   // namespace proxyd::http
