#pragma once

#include <array>
#include <cstdint>

namespace proxyd::http {

// Classes of octets, by table: one load a character.
namespace character {
inline constexpr uint8_t kToken = 1;        // tchar (RFC 9110 5.6.2)
inline constexpr uint8_t kUnreserved = 2;   // RFC 3986 2.3
inline constexpr uint8_t kRegName = 4;      // reg-name without percent-encoding, which no host needs (RFC 3986 3.2.2)
inline constexpr uint8_t kTarget = 8;       // allowed in a path or query; beyond RFC 3986 what browsers really send
inline constexpr uint8_t kPlainPath = 16;   // allowed in a path and never changed by normalization: no % / .
inline constexpr uint8_t kUpper = 32;       // A-Z
inline constexpr uint8_t kPlainName = 64;   // what most names of hosts are made of: a-z 0-9 - .
}   // namespace character

namespace character_table {
constexpr std::array<uint8_t, 256> make() {
  std::array<uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    const auto among = [c](const char* set) {
      for (; *set; ++set) {
        if (static_cast<unsigned char>(*set) == c) return true;
      }
      return false;
    };
    uint8_t classes = 0;
    if (letter || digit || among("!#$%&'*+-.^_`|~")) classes |= character::kToken;
    if (letter || digit || among("-._~")) classes |= character::kUnreserved;
    if (letter || digit || among("-._~!$&'()*+;=")) classes |= character::kRegName;
    if (c > 0x20 && c != 0x7F && c != '#') classes |= character::kTarget;
    if (c >= 'A' && c <= 'Z') classes |= character::kUpper;
    if ((c >= 'a' && c <= 'z') || digit || among("-.")) classes |= character::kPlainName;
    if ((classes & character::kTarget) != 0 && !among("%/.?")) classes |= character::kPlainPath;
    table[c] = classes;
  }
  return table;
}
inline constexpr std::array<uint8_t, 256> kTable = make();
}   // namespace character_table

constexpr uint8_t classes_of(char c) { return character_table::kTable[static_cast<uint8_t>(c)]; }
constexpr bool is_in(char c, uint8_t classes) { return (classes_of(c) & classes) != 0; }

}   // namespace proxyd::http
