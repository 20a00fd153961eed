#include "shared/cache/key.h"

#include <bit>
#include <cstring>

namespace proxyd::cache {
namespace {

struct Sip {
  uint64_t a, b, c, d;

  void round() {
    a += b;
    c += d;
    b = std::rotl(b, 13) ^ a;
    d = std::rotl(d, 16) ^ c;
    a = std::rotl(a, 32);
    c += b;
    a += d;
    b = std::rotl(b, 17) ^ c;
    d = std::rotl(d, 21) ^ a;
    c = std::rotl(c, 32);
  }
  void rounds(int count) {
    for (int i = 0; i < count; ++i) round();
  }
  uint64_t value() const { return a ^ b ^ c ^ d; }
};

uint64_t word_at(const char* text) {
  uint64_t word;
  std::memcpy(&word, text, sizeof word);
  return word;
}

// Up to seven octets and the length in the top one.
uint64_t last_word(std::string_view rest, size_t length) {
  uint64_t word = uint64_t{length & 0xff} << 56;
  for (size_t i = 0; i < rest.size(); ++i) word |= uint64_t{static_cast<uint8_t>(rest[i])} << (8 * i);
  return word;
}

}   // namespace

template <int kCompressions, int kFinalizations>
KeyHash sip_hash_128(const std::array<uint64_t, 2>& secret, std::string_view text) {
  Sip sip{secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d ^ 0xee, secret[0] ^ 0x6c7967656e657261,
          secret[1] ^ 0x7465646279746573};
  const size_t whole = text.size() & ~size_t{7};
  const auto take = [&sip](uint64_t word) {
    sip.d ^= word;
    sip.rounds(kCompressions);
    sip.a ^= word;
  };
  for (size_t i = 0; i < whole; i += 8) take(word_at(text.data() + i));
  take(last_word(text.substr(whole), text.size()));
  sip.c ^= 0xee;
  sip.rounds(kFinalizations);
  const uint64_t low = sip.value();
  sip.b ^= 0xdd;
  sip.rounds(kFinalizations);
  return KeyHash{sip.value(), low};
}

template KeyHash sip_hash_128<2, 4>(const std::array<uint64_t, 2>&, std::string_view);
template KeyHash sip_hash_128<1, 3>(const std::array<uint64_t, 2>&, std::string_view);

KeyHash hash_key(const std::array<uint64_t, 2>& secret, std::string_view key) {
  return sip_hash_128<1, 3>(secret, key);
}

}   // namespace proxyd::cache
