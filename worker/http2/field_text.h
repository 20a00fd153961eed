#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace proxyd::http2 {

// Whether a field's value holds no control character but tabs (RFC 9113 8.2.1, RFC 9110 5.5): eight octets at a time.
inline bool is_field_text(std::string_view text) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  // Some octet is below 0x20, or is DEL; tabs have to be looked at again.
  const auto suspicious = [](uint64_t word) {
    const uint64_t deletes = word ^ (kOnes * 0x7F);
    return (((word - kOnes * 0x20) & ~word) | ((deletes - kOnes) & ~deletes)) & kHighs;
  };
  const auto exactly = [](std::string_view some) {
    for (const char c : some) {
      const auto octet = static_cast<uint8_t>(c);
      if ((octet < 0x20 && octet != '\t') || octet == 0x7F) return false;
    }
    return true;
  };
  if (text.size() < 8) return exactly(text);
  uint64_t seen = 0;
  uint64_t word = 0;
  for (size_t at = 0; at + 8 <= text.size(); at += 8) {
    std::memcpy(&word, text.data() + at, 8);
    seen |= suspicious(word);
  }
  std::memcpy(&word, text.data() + text.size() - 8, 8);
  seen |= suspicious(word);
  return seen == 0 || exactly(text);
}

}   // namespace proxyd::http2
