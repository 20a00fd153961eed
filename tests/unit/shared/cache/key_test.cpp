#include "shared/cache/key.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstring>
#include <string>

namespace proxyd::cache {
namespace {

// OpenSSL's SipHash as the judge of ours.
KeyHash by_openssl(const std::array<uint64_t, 2>& secret, std::string_view text, unsigned compressions,
                   unsigned finalizations) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  size_t size = 16;
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                             OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &compressions),
                             OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &finalizations),
                             OSSL_PARAM_construct_end()};
  EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(secret.data()), 16, parameters);
  EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  unsigned char digest[16];
  size_t written = 0;
  EVP_MAC_final(context, digest, &written, sizeof digest);
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  KeyHash hash;
  std::memcpy(&hash.low, digest, 8);
  std::memcpy(&hash.high, digest + 8, 8);
  return hash;
}

TEST(Key, HashesAsSipHashDoes) {
  const std::array<uint64_t, 2> secret{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  std::string text;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ((sip_hash_128<2, 4>(secret, text)), by_openssl(secret, text, 2, 4)) << i;
    EXPECT_EQ((sip_hash_128<1, 3>(secret, text)), by_openssl(secret, text, 1, 3)) << i;
    text.push_back(static_cast<char>(i));
  }
}

TEST(Key, HashesOtherwiseWithAnotherSecret) {
  EXPECT_NE(hash_key({1, 2}, "http://a/"), hash_key({1, 3}, "http://a/"));
  EXPECT_EQ(hash_key({1, 2}, "http://a/"), hash_key({1, 2}, "http://a/"));
}

}   // namespace
}   // namespace proxyd::cache
