#include "master/certificates/cipher_list.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

TEST(CipherList, OfOpenSslIsTaken) {
  for (const char* list : {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE+AESGCM:ECDHE+CHACHA20", "HIGH:!aNULL:!MD5:@STRENGTH",
                           "DEFAULT:-AES128:+AES256"}) {
    const auto taken = check_ciphers(list);
    EXPECT_TRUE(taken) << list << ": " << taken.error().message;
  }
}

TEST(CipherList, IsRefusedThatHoldsAnUnknownNameOrAllowsWhatNobodyWants) {
  const std::pair<const char*, const char*> wrong[] = {
      {"ECDHE-RSA-AES128-GCM-SHA257", "'ECDHE-RSA-AES128-GCM-SHA257'"},
      {"HIGH:nonsense", "'nonsense'"},
      {"TLS_AES_128_GCM_SHA256", "'TLS_AES_128_GCM_SHA256'"},
      {"HIGH:!HIGH", "allows no cipher"},
      {"ADH", "takes no certificate"},
      {"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-NULL-SHA", "encrypts nothing"}};
  for (const auto& [list, part] : wrong) {
    const auto taken = check_ciphers(list);
    ASSERT_FALSE(taken) << list;
    EXPECT_NE(taken.error().message.find(part), std::string::npos) << taken.error().message;
  }
}

}   // namespace
}   // namespace proxyd::master
