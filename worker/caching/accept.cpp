#include "worker/caching/accept.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "shared/base/bytes.h"
#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

// "0.5" as 500; nothing for what is no quality.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int quality = (text[0] - '0') * 1000;
  int unit = 100;
  for (size_t at = 2; at < text.size(); ++at, unit /= 10) {
    if (!is_digit(text[at])) return std::nullopt;
    quality += (text[at] - '0') * unit;
  }
  return quality <= 1000 ? std::optional(quality) : std::nullopt;
}

uint8_t coding_bit(std::string_view name) {
  if (name.size() < 2 || name.size() > 6) return 0;
  if (equals_ignoring_case(name, "gzip") || equals_ignoring_case(name, "x-gzip")) return CodingClass::kGzip;
  if (equals_ignoring_case(name, "br")) return CodingClass::kBrotli;
  if (equals_ignoring_case(name, "zstd")) return CodingClass::kZstd;
  return 0;
}

// What browsers send, so that most requests are told by one comparison.
std::optional<uint8_t> class_of_browsers(std::string_view value) {
  constexpr std::array<std::pair<std::string_view, uint8_t>, 4> kKnown = {
      {{"gzip, deflate, br, zstd", CodingClass::kGzip | CodingClass::kBrotli | CodingClass::kZstd},
       {"gzip, deflate, br", CodingClass::kGzip | CodingClass::kBrotli},
       {"gzip, deflate", CodingClass::kGzip},
       {"gzip", CodingClass::kGzip}}};
  for (const auto& [known, bits] : kKnown) {
    if (value == known) return bits;
  }
  return std::nullopt;
}

struct LanguageRange {
  std::string_view tag;   // in lower case
  int quality = 0;
};

struct LanguageRanges {
  static constexpr size_t kMost = 32;
  std::array<LanguageRange, kMost> ranges;
  size_t count = 0;

  // False for what is no list of ranges, or a longer one.
  bool parse(std::string_view value, http::Arena& arena) {
    char* const lower = arena.allocate_text(value.size());
    std::transform(value.begin(), value.end(), lower, ascii_lower);
    http::ListMembers members({lower, value.size()});
    std::string_view member;
    while (members.next(member)) {
      const Preference preference = parse_preference(member);
      if (count == kMost || (preference.wanted != "*" && !is_language_tag(preference.wanted))) return false;
      ranges[count++] = {preference.wanted, preference.quality};
    }
    std::sort(ranges.begin(), ranges.begin() + count, [](const LanguageRange& a, const LanguageRange& b) {
      return a.quality != b.quality ? a.quality > b.quality : a.tag < b.tag;
    });
    return true;
  }

  // The only one of the known languages that is wanted most; empty when none is, or several are.
  std::string_view favourite(std::string_view known) const {
    std::string_view found;
    for (size_t i = 0; i < count && ranges[i].quality == ranges[0].quality && ranges[i].quality > 0; ++i) {
      if (!contains(known, ranges[i].tag) || ranges[i].tag == found) continue;
      if (!found.empty()) return {};
      found = ranges[i].tag;
    }
    return found;
  }

 private:
  static bool contains(std::string_view known, std::string_view tag) {
    while (!known.empty()) {
      const size_t bar = known.find('|');
      if (known.substr(0, bar) == tag) return true;
      known = bar == std::string_view::npos ? std::string_view() : known.substr(bar + 1);
    }
    return false;
  }
};

}   // namespace

Preference parse_preference(std::string_view member) {
  Preference preference;
  const size_t end = member.find(';');
  preference.wanted = http::trim(member.substr(0, end));
  for (size_t semicolon = end; semicolon != std::string_view::npos; semicolon = member.find(';')) {
    member.remove_prefix(semicolon + 1);
    const std::string_view parameter = http::trim(member.substr(0, member.find(';')));
    if (parameter.size() < 2 || ascii_lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    preference.quality = parse_quality(parameter.substr(2)).value_or(1000);
  }
  return preference;
}

bool is_language_tag(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}

std::string_view normal_language_ranges(std::string_view value, std::string_view languages, http::Arena& arena) {
  LanguageRanges parsed;
  if (!parsed.parse(value, arena)) return arena.concat("!", value);
  const std::string_view favourite = parsed.favourite(languages);
  if (!favourite.empty()) return arena.concat("=", favourite);
  constexpr size_t kQuality = 8;   // ";q=1000,"
  char* const text = arena.allocate_text(value.size() + parsed.count * kQuality);
  char* to = text;
  for (size_t i = 0; i < parsed.count; ++i) {
    if (i > 0) *to++ = ',';
    to = put_octets(to, parsed.ranges[i].tag);
    if (parsed.ranges[i].quality == 1000) continue;
    to = put_octets(to, ";q=");
    to = put_octets(to, arena.number(static_cast<uint64_t>(parsed.ranges[i].quality)));
  }
  return {text, static_cast<size_t>(to - text)};
}

std::string_view CodingClass::text() const {
  constexpr std::array<std::string_view, 16> kTexts = {"identity",
                                                       "br",
                                                       "gzip",
                                                       "br, gzip",
                                                       "zstd",
                                                       "br, zstd",
                                                       "gzip, zstd",
                                                       "br, gzip, zstd",
                                                       "identity;q=0",
                                                       "br, identity;q=0",
                                                       "gzip, identity;q=0",
                                                       "br, gzip, identity;q=0",
                                                       "zstd, identity;q=0",
                                                       "br, zstd, identity;q=0",
                                                       "gzip, zstd, identity;q=0",
                                                       "br, gzip, zstd, identity;q=0"};
  return kTexts[bits & 15];
}

// RFC 9110 12.5.3. No field at all would let the origin choose any coding; clients that send none mean none.
CodingClass coding_class(const http::Fields& request_fields) {
  if (request_fields.count(http::FieldName::kAcceptEncoding) == 1) {
    if (const auto bits = class_of_browsers(request_fields.value(http::FieldName::kAcceptEncoding))) return {*bits};
  }
  uint8_t accepted = 0;
  uint8_t named = 0;
  std::optional<bool> others;
  for (const http::Field& field : request_fields) {
    if (field.known != http::FieldName::kAcceptEncoding) continue;
    http::ListMembers members(field.value);
    std::string_view member;
    while (members.next(member)) {
      const Preference preference = parse_preference(member);
      const bool identity = equals_ignoring_case(preference.wanted, "identity");
      const uint8_t bit = identity ? CodingClass::kNoIdentity : coding_bit(preference.wanted);
      const bool wanted = preference.quality > 0;
      named |= bit;
      if (preference.wanted == "*") others = wanted;
      if (wanted != identity) accepted |= bit;
    }
  }
  if (others == true) accepted |= static_cast<uint8_t>(7 & ~named);
  if (others == false) accepted |= static_cast<uint8_t>(CodingClass::kNoIdentity & ~named);
  return {accepted};
}

bool holds_codings(CodingClass accepted, const http::Fields& response_fields) {
  for (const http::Field& field : response_fields) {
    if (field.known != http::FieldName::kContentEncoding) continue;
    http::ListMembers members(field.value);
    std::string_view member;
    while (members.next(member)) {
      if (!equals_ignoring_case(member, "identity") && (coding_bit(member) & accepted.bits) == 0) return false;
    }
  }
  return true;
}

}   // namespace proxyd::caching
