#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace proxyd {

// ASCII only, as RFC 9110 5.1 and RFC 3986 2.1 mean it: no locale takes part.
constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool equals_ignoring_case(std::string_view a, std::string_view b);

std::string to_hex(std::span<const uint8_t> bytes);

// Base64url without padding (RFC 4648 5).
std::string to_base64url(std::span<const uint8_t> bytes);

// True for well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Equal or not, in time that depends on the lengths alone; for secrets.
bool equals_in_constant_time(std::string_view a, std::string_view b);

}  // namespace proxyd
