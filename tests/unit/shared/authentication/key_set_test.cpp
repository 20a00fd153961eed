#include "shared/authentication/key_set.h"

#include <gtest/gtest.h>

#include <string>

#include "shared/base/bytes.h"

namespace proxyd::authentication {
namespace {

std::string octets(std::string_view base64url) { return from_base64url(base64url).value_or(""); }

// RFC 7515 A.1: HS256.
TEST(KeySet, checks_the_hmac_of_rfc_7515) {
  const auto keys = read_keys(
      R"({"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})");
  ASSERT_TRUE(keys) << keys.error().message;
  const std::string text =
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const std::string signature = octets("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  EXPECT_TRUE(keys->front().verifies(text, signature));
  EXPECT_FALSE(keys->front().verifies(text + "x", signature));
  EXPECT_FALSE(keys->front().verifies(text, signature.substr(1)));
}

// RFC 7515 A.3: ES256.
TEST(KeySet, checks_the_signature_of_the_curve_of_rfc_7515) {
  const auto keys = read_keys(
      R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
  ASSERT_TRUE(keys) << keys.error().message;
  const std::string text =
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const std::string signature =
      octets("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  EXPECT_TRUE(keys->front().verifies(text, signature));
  EXPECT_FALSE(keys->front().verifies(text, signature + "x"));
  EXPECT_FALSE(keys->front().verifies(text, std::string(64, '\0')));
  EXPECT_FALSE(keys->front().verifies(text, ""));
}

// RFC 8037 A.4: EdDSA.
TEST(KeySet, checks_the_signature_of_ed25519_of_rfc_8037) {
  const auto keys =
      read_keys(R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  ASSERT_TRUE(keys) << keys.error().message;
  const std::string text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  const std::string signature =
      octets("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(keys->front().verifies(text, signature));
  EXPECT_FALSE(keys->front().verifies(text + ".", signature));
}

TEST(KeySet, leaves_out_what_is_for_something_else) {
  const auto keys = read_keys(
      R"({"keys":[{"kty":"RSA","use":"enc","n":"x","e":"x"},{"kty":"EC","crv":"P-384"},{"kty":"later"},{"no":"kind"},
          {"kty":"oct","alg":"HS256","use":"sig","key_ops":["sign","verify"],"kid":"k",
           "k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}]})");
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().id(), "k");
  EXPECT_EQ(keys->front().algorithm(), Algorithm::kHs256);
}

TEST(KeySet, that_is_not_in_order_is_refused_by_the_number_of_its_key) {
  const auto refused = read_keys(
      R"({"keys":[{"kty":"EC","crv":"P-384"},{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}]})");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("key 2"), std::string::npos);
  EXPECT_EQ(refused.error().message.find("f83O"), std::string::npos);
  for (const char* text :
       {"", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[{\"kty\":\"oct\",\"kty\":\"oct\"}]}"})
    EXPECT_FALSE(read_keys(text)) << text;
}

}   // namespace
}   // namespace proxyd::authentication
