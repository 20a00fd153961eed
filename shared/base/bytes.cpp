#include "shared/base/bytes.h"

namespace proxyd {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

std::string to_hex(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string to_base64url(std::span<const uint8_t> bytes) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t pending = 0;
  int bits = 0;
  for (const uint8_t byte : bytes) {
    pending = (pending << 8) | byte;
    for (bits += 8; bits >= 6; bits -= 6) text += kAlphabet[(pending >> (bits - 6)) & 63];
  }
  if (bits > 0) text += kAlphabet[(pending << (6 - bits)) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  const auto value_of = [](char c) -> uint32_t {
    if (c >= 'A' && c <= 'Z') return static_cast<uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<uint32_t>(c - 'a' + 26);
    if (is_digit(c)) return static_cast<uint32_t>(c - '0' + 52);
    return c == '-' ? 62 : c == '_' ? 63 : 64;
  };
  std::string octets;
  uint32_t pending = 0;
  int bits = 0;
  for (const char c : text) {
    const uint32_t value = value_of(c);
    if (value == 64) return std::nullopt;
    pending = (pending << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    octets += static_cast<char>((pending >> bits) & 0xFF);
  }
  const bool whole = bits < 6 && (pending & ((1u << bits) - 1)) == 0;   // what is left over says nothing
  if (!whole) return std::nullopt;
  return octets;
}

namespace {

// Bytes of the UTF-8 sequence that `first` begins, and the least code point that may use so many.
struct SequenceShape {
  int length;
  uint32_t least;
  uint32_t bits;
};

SequenceShape shape_of(uint8_t first) {
  if (first < 0x80) return {1, 0, first};
  if ((first & 0xE0) == 0xC0) return {2, 0x80, first & 0x1Fu};
  if ((first & 0xF0) == 0xE0) return {3, 0x800, first & 0x0Fu};
  if ((first & 0xF8) == 0xF0) return {4, 0x10000, first & 0x07u};
  return {0, 0, 0};
}

}   // namespace

bool is_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const SequenceShape shape = shape_of(static_cast<uint8_t>(text[at]));
    if (shape.length == 0 || at + static_cast<size_t>(shape.length) > text.size()) return false;
    uint32_t code_point = shape.bits;
    for (int i = 1; i < shape.length; ++i) {
      const auto byte = static_cast<uint8_t>(text[at + static_cast<size_t>(i)]);
      if ((byte & 0xC0) != 0x80) return false;
      code_point = (code_point << 6) | (byte & 0x3Fu);
    }
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    if (code_point < shape.least || surrogate || code_point > 0x10FFFF) return false;
    at += static_cast<size_t>(shape.length);
  }
  return true;
}

bool equals_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned>(static_cast<uint8_t>(a[i]) ^ static_cast<uint8_t>(b[i]));
  }
  return difference == 0;
}

}   // namespace proxyd
