#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace proxyd {

// SipHash, keyed: whoever does not know the secret cannot choose texts that collide. Words and texts are taken one
// after the other; a text takes its length with it. A value; no allocation. `kCompressions` rounds for each word of
// eight octets.
template <int kCompressions>
class SipHash {
 public:
  using Secret = std::array<uint64_t, 2>;

  // `variant` tells 64 bits of output (0) from 128 (0xee), as the reference has it.
  explicit SipHash(const Secret& secret, uint64_t variant = 0)
      : a_(secret[0] ^ 0x736f6d6570736575),
        b_(secret[1] ^ 0x646f72616e646f6d ^ variant),
        c_(secret[0] ^ 0x6c7967656e657261),
        d_(secret[1] ^ 0x7465646279746573) {}

  void take(uint64_t word) {
    d_ ^= word;
    rounds(kCompressions);
    a_ ^= word;
  }
  // Ends a message: no other text may follow, words may.
  void take(std::string_view text) {
    const size_t whole = text.size() & ~size_t{7};
    for (size_t i = 0; i < whole; i += 8) {
      uint64_t word;
      std::memcpy(&word, text.data() + i, sizeof word);
      take(word);
    }
    uint64_t last = uint64_t{text.size() & 0xff} << 56;
    for (size_t i = whole; i < text.size(); ++i) last |= uint64_t{static_cast<uint8_t>(text[i])} << (8 * (i - whole));
    take(last);
  }
  // Also between the halves of a longer output.
  uint64_t finish(int finalizations, uint64_t mark = 0xff) {
    c_ ^= mark;
    rounds(finalizations);
    return a_ ^ b_ ^ c_ ^ d_;
  }
  uint64_t finish_again(int finalizations, uint64_t mark) {
    b_ ^= mark;
    rounds(finalizations);
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      a_ += b_;
      c_ += d_;
      b_ = std::rotl(b_, 13) ^ a_;
      d_ = std::rotl(d_, 16) ^ c_;
      a_ = std::rotl(a_, 32);
      c_ += b_;
      a_ += d_;
      b_ = std::rotl(b_, 17) ^ c_;
      d_ = std::rotl(d_, 21) ^ a_;
      c_ = std::rotl(c_, 32);
    }
  }

  uint64_t a_, b_, c_, d_;
};

}   // namespace proxyd
