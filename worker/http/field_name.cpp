#include "worker/http/field_name.h"

#include <cstring>

#include "shared/base/bytes.h"

namespace proxyd::http {
namespace {

constexpr std::array<std::string_view, kFieldNameCount> kNames = {
    "",
    "Accept",
    "Accept-Encoding",
    "Accept-Ranges",
    "Age",
    "Authorization",
    "Cache-Control",
    "Cache-Status",
    "CDN-Loop",
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Range",
    "Content-Type",
    "Cookie",
    "Date",
    "ETag",
    "Expect",
    "Expires",
    "Forwarded",
    "Host",
    "HTTP2-Settings",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Proxy-Status",
    "Range",
    "Referer",
    "Retry-After",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Server",
    "Set-Cookie",
    "TE",
    "traceparent",
    "tracestate",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
    "Vary",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
    "X-Original-URL",
    "X-Real-IP",
    "X-Request-Id",
    "X-Rewrite-URL",
};

constexpr size_t kTableSize = 512;

// Perfect for the names above: their length and two of their letters, spread by this multiplier. A new name that
// collides fails the assertion below; then try another odd multiplier, or one letter more.
constexpr uint32_t kMultiplier = 0x7814E8A3u;

constexpr uint32_t hash_of(std::string_view name) {
  const char* text = name.data();
  const auto letter = [text](size_t at) { return static_cast<uint32_t>(static_cast<uint8_t>(text[at])) | 0x20u; };
  const auto size = static_cast<uint32_t>(name.size());
  return (((size << 16) ^ (letter(0) << 8) ^ letter(name.size() * 3 / 4)) * kMultiplier) >> 23;
}

using Table = std::array<uint8_t, kTableSize>;

constexpr Table make_table() {
  Table table{};
  for (size_t i = 1; i < kNames.size(); ++i) table[hash_of(kNames[i])] = static_cast<uint8_t>(i);
  return table;
}

constexpr Table kTable = make_table();

constexpr bool every_name_has_its_own_place() {
  for (size_t i = 1; i < kNames.size(); ++i) {
    if (kTable[hash_of(kNames[i])] != i) return false;
  }
  return true;
}
static_assert(every_name_has_its_own_place());

constexpr size_t kLongest = 24;

uint64_t load(const char* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

uint32_t load_half(const char* from) {
  uint32_t half = 0;
  std::memcpy(&half, from, sizeof half);
  return half;
}

// A name in lower case beside the bit that the case of each of its letters lies in, so that a comparison takes eight
// octets at a time and is exact for what is no letter.
struct Folded {
  std::array<char, kLongest> lower{};
  std::array<char, kLongest> case_bits{};
  size_t size = 0;

  bool word_equals(const char* name, size_t at) const {
    return (load(name + at) | load(case_bits.data() + at)) == load(lower.data() + at);
  }
  bool half_equals(const char* name, size_t at) const {
    return (load_half(name + at) | load_half(case_bits.data() + at)) == load_half(lower.data() + at);
  }
  // Words that overlap at the end, so that nothing beyond the name is read.
  bool equals(std::string_view name) const {
    if (name.size() != size) return false;
    const char* text = name.data();
    if (size >= 16) return word_equals(text, 0) && word_equals(text, 8) && word_equals(text, size - 8);
    if (size >= 8) return word_equals(text, 0) && word_equals(text, size - 8);
    if (size >= 4) return half_equals(text, 0) && half_equals(text, size - 4);
    for (size_t i = 0; i < size; ++i) {
      if ((text[i] | case_bits[i]) != lower[i]) return false;
    }
    return true;
  }
};

constexpr std::array<Folded, kFieldNameCount> fold_names() {
  std::array<Folded, kFieldNameCount> folded{};
  for (size_t i = 0; i < kNames.size(); ++i) {
    folded[i].size = kNames[i].size();
    for (size_t at = 0; at < kNames[i].size(); ++at) {
      const char lower = ascii_lower(kNames[i][at]);
      folded[i].lower[at] = lower;
      folded[i].case_bits[at] = lower >= 'a' && lower <= 'z' ? 0x20 : 0;
    }
  }
  return folded;
}

constexpr std::array<Folded, kFieldNameCount> kFolded = fold_names();

}   // namespace

FieldName field_name_from(std::string_view name) {
  if (name.size() - 1 >= kLongest) return FieldName::kOther;   // empty, or too long
  const uint8_t index = kTable[hash_of(name)];
  return kFolded[index].equals(name) ? static_cast<FieldName>(index) : FieldName::kOther;
}

std::string_view to_string(FieldName name) { return kNames[static_cast<size_t>(name)]; }

std::string_view to_lower_string(FieldName name) {
  const Folded& folded = kFolded[static_cast<size_t>(name)];
  return {folded.lower.data(), folded.size};
}

}   // namespace proxyd::http
