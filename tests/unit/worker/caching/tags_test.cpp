#include "worker/caching/tags.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

class Tags : public testing::Test, public Messages {
 protected:
  std::string tags(Lines lines) {
    const TagList list = response_tags(fields(lines), policy);
    std::string text;
    for (const std::string_view tag : list.tags()) text += "[" + std::string(tag) + "]";
    return text + (list.overflowed() ? "+" : "");
  }
  Policy policy;
};

TEST_F(Tags, AreDividedAsTheirFieldDividesThem) {
  EXPECT_EQ(tags({{"Surrogate-Key", "a  b,c\td"}}), "[a][b,c][d]");
  EXPECT_EQ(tags({{"cache-tag", "a b, c ,,d"}}), "[a b][c][d]");
  EXPECT_EQ(tags({{"xkey", "a b,c, d"}}), "[a][b][c][d]");
}

TEST_F(Tags, ComeFromEveryLineOfTheFieldsThatThePolicyNames) {
  EXPECT_EQ(tags({{"xkey", "a"}, {"X", "y"}, {"xkey", "b"}, {"Surrogate-Key", "c"}}), "[c][a][b]");
  policy.tag_headers = {"X-Cache-Tags"};
  EXPECT_EQ(tags({{"xkey", "a"}, {"X-Cache-Tags", "t1 t2,t3"}}), "[t1][t2][t3]");
  policy.tag_headers = {};
  EXPECT_EQ(tags({{"xkey", "a"}}), "");
}

TEST_F(Tags, CountOnceAndByCase) { EXPECT_EQ(tags({{"xkey", "a A a"}, {"Surrogate-Key", "a"}}), "[a][A]"); }

TEST_F(Tags, HaveABoundBeyondWhichEveryPurgeOfATagTakesTheResponse) {
  std::string many;
  for (size_t i = 0; i < kMostTags; ++i) many += "t" + std::to_string(i) + " ";
  EXPECT_EQ(response_tags(fields({{"xkey", many}}), policy).tags().size(), kMostTags);
  EXPECT_FALSE(response_tags(fields({{"xkey", many}}), policy).overflowed());
  EXPECT_TRUE(response_tags(fields({{"xkey", many + "one"}}), policy).overflowed());
  EXPECT_EQ(tags({{"xkey", std::string(kMostTagLength + 1, 'x')}}), "+");
}

}   // namespace
}   // namespace proxyd::caching
