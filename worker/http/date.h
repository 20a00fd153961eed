#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace proxyd::http {

inline constexpr size_t kDateLength = 29;   // "Sun, 06 Nov 1994 08:49:37 GMT"

// Seconds since 1970 as an HTTP date (RFC 9110 5.6.7). Years 1 to 9999; what lies beyond is cut.
std::array<char, kDateLength> format_date(int64_t seconds);

// Seconds since 1970 of an HTTP date in any of its three forms; letters in any case, all else as RFC 9110 5.6.7 writes
// it. The name of the day is not held against the date. A year of two digits is the one nearest to `now`, but not more
// than 50 years ahead of it. Nothing for what is no date.
std::optional<int64_t> parse_date(std::string_view text, int64_t now);

}   // namespace proxyd::http
