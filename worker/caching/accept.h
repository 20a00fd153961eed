#pragma once

#include <cstdint>
#include <string_view>

#include "worker/http/fields.h"

namespace proxyd::caching {

// One member of Accept-Encoding or Accept-Language: what is wanted, and how much in thousandths (RFC 9110 12.4.2). A
// quality that is none counts as 1.
struct Preference {
  std::string_view wanted;
  int quality = 1000;
};

Preference parse_preference(std::string_view member);

// A single language tag in lower case (RFC 9110 8.5.1): letters, digits and hyphens.
bool is_language_tag(std::string_view text);

// Accept-Language so that what means the same reads the same: in lower case, the most wanted first, equals by name.
// When just one of the `languages` ("de|en") is among those wanted most, "=" and that one: whoever else likes it best
// can be given the same. More than 32 ranges, or what is none, are left as they came, behind a "!".
std::string_view normal_language_ranges(std::string_view value, std::string_view languages, http::Arena& arena);

// The content codings that a request accepts, of those that we know, as bits: qualities are left aside, since any of
// them is welcome. It is what Accept-Encoding counts for in a secondary key.
struct CodingClass {
  static constexpr uint8_t kBrotli = 1;
  static constexpr uint8_t kGzip = 2;
  static constexpr uint8_t kZstd = 4;
  static constexpr uint8_t kNoIdentity = 8;

  uint8_t bits = 0;

  // "br, gzip"; "identity" when there is none. As a value of Accept-Encoding it says the same.
  std::string_view text() const;
};

CodingClass coding_class(const http::Fields& request_fields);

// Whether a response's codings are all among a class: else a request of that class could be given what it can't read.
bool holds_codings(CodingClass accepted, const http::Fields& response_fields);

}   // namespace proxyd::caching
