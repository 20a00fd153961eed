#include "worker/authentication/remembered.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "shared/base/bytes.h"

namespace proxyd::authentication {
namespace {

constexpr size_t kMostRight = 4096;
constexpr size_t kMostWrong = 1024;

std::string_view text_of(const Sha256& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

// Where the entries begin that a digest may be in.
size_t set_of(const Sha256& digest, size_t entries, size_t ways) {
  uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number % (entries / ways) * ways;
}

}   // namespace

Remembered::Remembered() : hash_(EVP_MD_CTX_new()) {
  if (!hash_) throw std::bad_alloc();
  random_bytes(key_);
}

Remembered::~Remembered() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(hash_)); }

Sha256 Remembered::digest_of(const Sha256& requirement, std::string_view credentials) {
  auto* hash = static_cast<EVP_MD_CTX*>(hash_);
  Sha256 digest{};
  const bool done = EVP_DigestInit_ex(hash, EVP_sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(hash, key_.data(), key_.size()) == 1 &&
                    EVP_DigestUpdate(hash, requirement.data(), requirement.size()) == 1 &&
                    EVP_DigestUpdate(hash, credentials.data(), credentials.size()) == 1 &&
                    EVP_DigestFinal_ex(hash, digest.data(), nullptr) == 1;
  if (!done) std::abort();   // else all would be the same
  return digest;
}

bool Remembered::holds(const Table& table, const Sha256& digest, Instant now) {
  if (table.empty()) return false;
  const Entry* const entries = &table[set_of(digest, table.size(), kWays)];
  for (size_t i = 0; i < kWays; ++i) {
    if (entries[i].until > now && equals_in_constant_time(text_of(entries[i].digest), text_of(digest))) return true;
  }
  return false;
}

std::optional<bool> Remembered::find(const Sha256& digest, Instant now) const {
  if (holds(right_, digest, now)) return true;
  if (holds(wrong_, digest, now)) return false;
  return std::nullopt;
}

void Remembered::keep(const Sha256& digest, bool right, Instant until) {
  Table& table = right ? right_ : wrong_;
  if (table.empty()) table.resize(right ? kMostRight : kMostWrong);
  Entry* const entries = &table[set_of(digest, table.size(), kWays)];
  Entry* place = entries;
  for (size_t i = 1; i < kWays; ++i) {
    if (entries[i].until < place->until) place = entries + i;
  }
  *place = {digest, until};
}

}   // namespace proxyd::authentication
