#include "shared/base/digest.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace proxyd {

Sha256 sha256(std::string_view data) {
  Sha256 digest{};
  if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return digest;
}

void random_bytes(std::span<uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got > 0) out = out.subspan(static_cast<size_t>(got));
    if (got < 0 && errno != EINTR) std::abort();
  }
}

}   // namespace proxyd
