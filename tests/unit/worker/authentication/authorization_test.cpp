#include "worker/authentication/authorization.h"

#include <gtest/gtest.h>

namespace proxyd::authentication {
namespace {

class Authorization : public testing::Test {
 protected:
  http::Arena arena_;
  http::Fields fields_{arena_};
};

TEST_F(Authorization, is_of_a_scheme_in_whatever_case) {
  EXPECT_EQ(credentials_of(fields_, "Basic"), "");
  fields_.add("Authorization", "bASIC  abc ");
  EXPECT_EQ(credentials_of(fields_, "Basic"), "abc");
  EXPECT_EQ(credentials_of(fields_, "Bearer"), "");
  EXPECT_EQ(credentials_of(fields_, "Bas"), "");
}

TEST_F(Authorization, in_two_lines_is_none) {
  fields_.add("Authorization", "Basic abc");
  fields_.add("Authorization", "Basic def");
  EXPECT_EQ(credentials_of(fields_, "Basic"), "");
}

TEST_F(Authorization, beyond_its_bound_is_none) {
  const std::string large(kLongestCredentials, 'x');
  fields_.add("Authorization", arena_.concat("Basic ", large));
  EXPECT_EQ(credentials_of(fields_, "Basic"), "");
}

TEST(BasicCredentials, are_name_and_password_up_to_the_first_colon) {
  const auto pair = read_basic("YW5uOnNlYzpyZXQ=");   // ann:sec:ret
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->name, "ann");
  EXPECT_EQ(pair->password, "sec:ret");
  const auto empty = read_basic("Og==");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->name + empty->password, "");
  EXPECT_TRUE(read_basic("YTr/+/8="));
}

TEST(BasicCredentials, that_are_no_base64_or_hold_no_colon_are_none) {
  for (const char* text :
       {"", "YW5u", "YW5uOg", "YW5uOg=", "YW5uOnNl cy==", "YTr_-_8=", "YTpi=", "====", "YW5uO%==", "YW5uOh=="})
    EXPECT_FALSE(read_basic(text)) << text;
}

}   // namespace
}   // namespace proxyd::authentication
