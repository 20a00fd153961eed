#include "worker/authentication/token_check.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::authentication {
namespace {

// RFC 7515 A.1: signed by HS256, from joe, until 1300819380.
const std::string kSigned =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr int64_t kEnd = 1'300'819'380'000;

KeySet keys() {
  return *read_keys(
      R"({"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})");
}

config::JwtAuth rules() {
  config::JwtAuth rules;
  rules.issuer = "joe";
  rules.algorithms = {"HS256"};
  return rules;
}

TEST(TokenCheck, takes_what_is_signed_until_its_end_and_the_leeway) {
  const TokenCheck check(rules(), keys());
  EXPECT_TRUE(check.check(kSigned, kEnd - 1).right);
  EXPECT_TRUE(check.check(kSigned, kEnd + 29'999).right);
  EXPECT_FALSE(check.check(kSigned, kEnd + 30'000).right);
}

TEST(TokenCheck, is_remembered_no_longer_than_it_holds_nor_long) {
  const TokenCheck check(rules(), keys());
  EXPECT_EQ(check.check(kSigned, kEnd).lasts, milliseconds(30'000));
  EXPECT_EQ(check.check(kSigned, kEnd - 86'400'000).lasts, milliseconds(300'000));
  EXPECT_EQ(check.check(kSigned, kEnd + 30'000).lasts, milliseconds(0));
  std::string forged = kSigned;
  forged.back() = 'A';
  EXPECT_EQ(check.check(forged, kEnd).right, false);
}

TEST(TokenCheck, takes_nothing_by_another_algorithm_issuer_or_audience) {
  config::JwtAuth other = rules();
  other.algorithms = {"RS256", "ES256", "EdDSA"};
  EXPECT_FALSE(TokenCheck(other, keys()).check(kSigned, kEnd).right);
  other = rules();
  other.issuer = "jo";
  EXPECT_FALSE(TokenCheck(other, keys()).check(kSigned, kEnd).right);
  other = rules();
  other.audience = {"us"};
  EXPECT_FALSE(TokenCheck(other, keys()).check(kSigned, kEnd).right);
  EXPECT_FALSE(TokenCheck(rules(), {}).check(kSigned, kEnd).right);
}

TEST(Tokens, are_three_parts_whole) {
  EXPECT_TRUE(read_token(kSigned));
  for (const std::string& text : {std::string(), std::string("."), std::string(".."), kSigned + ".", kSigned + "=",
                                  "x" + kSigned, kSigned.substr(0, kSigned.rfind('.')), std::string("e30.e30.e30")})
    EXPECT_FALSE(read_token(text)) << text;
}

}   // namespace
}   // namespace proxyd::authentication
