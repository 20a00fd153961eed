#include "shared/authentication/users.h"

#include <gtest/gtest.h>

#include <string>

#include "shared/authentication/password.h"

namespace proxyd::authentication {
namespace {

const std::string kBcrypt = "$2y$05$Y/VWGSKOicxar.xbVNYkn.UkERWkyJzfLHyvs8UpohGXG/QN9hpBS";
const std::string kSha512 =
    "$6$ab$2lDVylRMp48hlYZZFOCx/xnhJEsGPynJ17rt2um9Gb8wX6ygI4uDxg3Bg43pp/Hv397hwWfT8mciHws9eE4sR/";
const std::string kMd5 = "$1$ab$dslkcXxVH.x8LwW1W/oAB/";
const std::string kSha = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

TEST(Passwords, of_each_method_are_right_or_wrong) {
  for (const std::string& hash : {kBcrypt, kSha512, kMd5, kSha}) {
    EXPECT_TRUE(check_hash(hash)) << hash;
    EXPECT_TRUE(is_password("secret", hash)) << hash;
    EXPECT_FALSE(is_password("Secret", hash)) << hash;
    EXPECT_FALSE(is_password("", hash)) << hash;
    EXPECT_FALSE(is_password(std::string("secret\0x", 8), hash)) << hash;
  }
  EXPECT_FALSE(is_slow(kSha));
  EXPECT_TRUE(is_slow(kBcrypt));
}

TEST(Passwords, that_are_no_hash_or_too_dear_are_not_taken) {
  for (const std::string& hash :
       {std::string(), std::string("secret"), std::string("abJnggxhB/yWI"), std::string("$apr1$A58Pv/Jv$BeK3Yk/1g3of"),
        "$2y$13" + kBcrypt.substr(6), kBcrypt.substr(0, 59), kBcrypt + "x", kSha512.substr(0, 80),
        "$6$rounds=900000" + kSha512.substr(2), std::string("$y$jFT$abcdefghijk$") + std::string(43, '.'),
        std::string("{SHA}abc"), std::string("$7$CU..../....$abc")}) {
    EXPECT_FALSE(check_hash(hash)) << hash;
  }
}

TEST(Users, are_read_line_by_line) {
  const auto users = read_users("# ours\r\nann:" + kBcrypt + "\r\n\nb b:" + kSha);
  ASSERT_TRUE(users) << users.error().message;
  EXPECT_EQ(*users, (Users{{"ann", kBcrypt}, {"b b", kSha}}));
}

TEST(Users, of_a_bad_line_are_refused_by_its_number_and_never_its_words) {
  const struct {
    std::string content;
    const char* line;
  } kCases[] = {{"ann:" + kSha + "\nbob\n", "line 2"},
                {"ann:" + kSha + "\n:" + kSha, "line 2"},
                {"ann:" + kSha + "\nann:" + kBcrypt, "line 2"},
                {"ann:plain", "line 1"},
                {"a\x01nn:" + kSha, "line 1"},
                {"# nobody\n", "names nobody"},
                {"", "names nobody"},
                {"ann:" + kSha + ":x", "line 1"}};
  for (const auto& one : kCases) {
    const auto users = read_users(one.content);
    ASSERT_FALSE(users) << one.content;
    EXPECT_NE(users.error().message.find(one.line), std::string::npos) << users.error().message;
    EXPECT_EQ(users.error().message.find("ann"), std::string::npos);
    EXPECT_EQ(users.error().message.find("plain"), std::string::npos);
  }
}

}   // namespace
}   // namespace proxyd::authentication
