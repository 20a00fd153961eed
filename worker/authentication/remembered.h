#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "shared/base/clock.h"
#include "shared/base/digest.h"

namespace proxyd::authentication {

// Credentials that were looked at already, so that a request pays no hash and no signature each time: by a digest of
// what they are for and what they say, keyed with octets that only this process knows, so that nobody can aim at a
// place or learn anything from memory that outlives it. Those that were right and those that were wrong are kept apart:
// who guesses pushes out guesses alone. Owned by the worker; one thread; nothing suspends or fails.
// Bounded: 4096 right ones and 1024 wrong ones, 48 octets each, allocated when the first is kept. Where there is no
// room the one goes that would have gone first. Steady state: nothing is allocated.
class Remembered {
 public:
  Remembered();
  Remembered(const Remembered&) = delete;
  Remembered& operator=(const Remembered&) = delete;
  ~Remembered();

  // `requirement`: what they are for, its files included; another file makes other digests.
  Sha256 digest_of(const Sha256& requirement, std::string_view credentials);
  // Whether they are right; nothing when nobody knows. Compared in constant time.
  std::optional<bool> find(const Sha256& digest, Instant now) const;
  void keep(const Sha256& digest, bool right, Instant until);

 private:
  struct Entry {
    Sha256 digest{};
    Instant until{};
  };
  static constexpr size_t kWays = 4;
  using Table = std::vector<Entry>;
  static bool holds(const Table& table, const Sha256& digest, Instant now);

  std::array<uint8_t, 32> key_;
  void* hash_;   // of OpenSSL, used again for each digest
  Table right_;
  Table wrong_;
};

}   // namespace proxyd::authentication
