#include "worker/caching/targeted.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

class Targeted : public testing::Test, public Messages {
 protected:
  ResponseDirectives chosen(Lines lines) { return response_directives(fields(lines), policy); }
  Policy policy;
};

constexpr int64_t kAbsent = CacheControl::kAbsent;

TEST_F(Targeted, FieldReplacesCacheControl_Rfc9213_2_2) {
  const ResponseDirectives directives =
      chosen({{"Cache-Control", "no-store, max-age=1"}, {"CDN-Cache-Control", "max-age=3600"}});
  EXPECT_TRUE(directives.targeted);
  EXPECT_EQ(directives.control.max_age, 3600);
  EXPECT_FALSE(directives.control.no_store);
}

TEST_F(Targeted, FieldsAreTakenInTheOrderOfThePolicy_Rfc9213_2_2) {
  EXPECT_EQ(chosen({{"CDN-Cache-Control", "max-age=1"}, {"Proxyd-Cache-Control", "max-age=2"}}).control.max_age, 2);
  policy.targeted = {"CDN-Cache-Control"};
  EXPECT_EQ(chosen({{"Proxyd-Cache-Control", "max-age=2"}, {"CDN-Cache-Control", "max-age=1"}}).control.max_age, 1);
  policy.targeted = {};
  EXPECT_FALSE(chosen({{"CDN-Cache-Control", "max-age=1"}}).targeted);
}

TEST_F(Targeted, FieldThatIsEmptyOrMalformedIsPassedOver_Rfc9213_2_1) {
  for (const std::string_view field : {"",
                                       " ",
                                       "max-age=10000, &&&&&",
                                       "max-age=\"10000\"",
                                       "max-age =100",
                                       "max-age= 100",
                                       "MaX-aGe=3600",
                                       "max-age=10,",
                                       "max-age=10;",
                                       "max-age=1.5",
                                       "no-store=5",
                                       "public=\"x\"",
                                       "max-age=1234567890123456",
                                       "max-age=(1 2)",
                                       "a=1234567890123.5",
                                       "a=1.1234",
                                       "no-cache=token",
                                       "a=\"open",
                                       "a=?2",
                                       "a=:b!:",
                                       "a=%\"%GG\"",
                                       "a=(1 2"}) {
    const ResponseDirectives directives = chosen({{"CDN-Cache-Control", field}, {"Cache-Control", "no-store"}});
    EXPECT_FALSE(directives.targeted) << field;
    EXPECT_TRUE(directives.control.no_store) << field;
  }
  EXPECT_EQ(chosen({{"Proxyd-Cache-Control", "&"}, {"CDN-Cache-Control", "max-age=7"}}).control.max_age, 7);
}

TEST_F(Targeted, FieldIsADictionary_Rfc9213_2_1) {
  const CacheControl control = *parse_targeted(
      "foobar, max-age=5;x=1;y, no-cache, private=?0, must-revalidate=?1, a=(1 \"b\" c;d), b=:aGk=:, "
      "c=@12, d=%\"f%c3%bc\", e=-1.25, f=tok/en:x, stale-if-error=9, s-maxage=4, immutable");
  EXPECT_EQ(control.max_age, 5);
  EXPECT_EQ(control.s_maxage, 4);
  EXPECT_EQ(control.stale_if_error, 9);
  EXPECT_TRUE(control.no_cache && control.must_revalidate && control.immutable);
  EXPECT_FALSE(control.is_private);
  EXPECT_TRUE(parse_targeted("no-cache=\"Set-Cookie\", private=\"x\\\"\"")->is_private);
}

TEST_F(Targeted, KeyTwiceMeansTheLastOne_Rfc9651_4_2_2) {
  EXPECT_EQ(parse_targeted("max-age=5, max-age=9")->max_age, 9);
}

TEST_F(Targeted, LinesAreOneDictionary_Rfc9651_4_2) {
  const ResponseDirectives directives =
      chosen({{"CDN-Cache-Control", "max-age=5"}, {"X", "y"}, {"cdn-cache-control", "no-cache"}});
  EXPECT_EQ(directives.control.max_age, 5);
  EXPECT_TRUE(directives.control.no_cache);
}

TEST_F(Targeted, NumbersAreCut_Rfc9111_1_2_2) {
  EXPECT_EQ(parse_targeted("max-age=2147483649")->max_age, kMostSeconds);
  EXPECT_EQ(parse_targeted("max-age=99999999999")->max_age, kMostSeconds);
  EXPECT_EQ(parse_targeted("max-age=-5")->max_age, 0);
  EXPECT_EQ(parse_targeted("max-age=0")->max_age, 0);
  EXPECT_EQ(parse_targeted("foo")->max_age, kAbsent);
}

TEST_F(Targeted, FieldHoldsWhereThePolicyIgnoresCacheControl) {
  policy.ignore_cache_control = true;
  EXPECT_TRUE(chosen({{"CDN-Cache-Control", "no-store"}}).control.no_store);
  EXPECT_FALSE(chosen({{"Cache-Control", "no-store"}}).control.no_store);
}

}   // namespace
}   // namespace proxyd::caching
