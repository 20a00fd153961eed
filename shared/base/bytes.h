#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
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

// Copies `text` to `to` and returns the end. Short texts, of which heads are made, without a call: two copies of fixed
// size that overlap.
[[gnu::always_inline]] inline char* put_octets(char* to, std::string_view text) {
  const size_t size = text.size();
  const char* from = text.data();
  const auto ends = [=](auto word) __attribute__((always_inline)) {
    std::memcpy(&word, from, sizeof word);
    auto last = word;
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(to, &word, sizeof word);
    std::memcpy(to + size - sizeof last, &last, sizeof last);
  };
  struct Sixteen {
    uint64_t halves[2];
  };
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size > 16) {
    ends(Sixteen{});
  } else if (size >= 8) {
    ends(uint64_t{});
  } else if (size >= 4) {
    ends(uint32_t{});
  } else if (size >= 2) {
    ends(uint16_t{});
  } else if (size == 1) {
    *to = *from;
  }
  return to + size;
}

std::string to_hex(std::span<const uint8_t> bytes);

// Base64url without padding (RFC 4648 5).
std::string to_base64url(std::span<const uint8_t> bytes);
// The octets of such a text; nothing for what is none.
std::optional<std::string> from_base64url(std::string_view text);

// True for well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Equal or not, in time that depends on the lengths alone; for secrets.
bool equals_in_constant_time(std::string_view a, std::string_view b);

}   // namespace proxyd
