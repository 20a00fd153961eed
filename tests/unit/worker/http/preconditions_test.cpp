#include "worker/http/preconditions.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace proxyd::http {
namespace {

constexpr int64_t kNow = 1'795'000'000;
constexpr int64_t kModified = 784'111'777;   // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::string_view kSame = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view kSameByRfc850 = "Sunday, 06-Nov-94 08:49:37 GMT";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:49:38 GMT";

class Preconditions : public testing::Test {
 protected:
  using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  Precondition evaluate(Lines lines, Method method = Method::kGet) {
    return evaluate_preconditions(method, fields(lines), validators, kNow);
  }
  bool range_holds(std::string_view if_range) {
    return if_range_holds(fields({{"If-Range", if_range}}), validators, kNow);
  }
  Fields fields(Lines lines) {
    Fields made(arena_);
    for (const auto& [name, value] : lines) made.add(name, value);
    return made;
  }
  Validators validators{true, "\"abcdef\"", kModified, kNow - 10};

 private:
  Arena arena_;
};

constexpr Precondition kHolds = Precondition::kHolds;
constexpr Precondition kNotModified = Precondition::kNotModified;
constexpr Precondition kFailed = Precondition::kFailed;

TEST_F(Preconditions, IfNoneMatchIs304ForReadersOfAnyOfItsTags_Rfc9110_13_1_2) {
  EXPECT_EQ(evaluate({{"If-None-Match", "\"abcdef\""}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"1234\", \"abcdef\", \"5678\""}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"1234\""}, {"If-None-Match", "\"abcdef\""}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "W/\"abcdef\""}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "*"}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"1234\""}}), kHolds);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"abcdef\""}}, Method::kHead), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"abcdef\""}}, Method::kPut), kFailed);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"1234\""}}, Method::kPut), kHolds);
}

TEST_F(Preconditions, EntityTagsMayHoldCommasAndBackslashes_Rfc9110_8_8_3) {
  validators.etag = "\"a,b\\\"";
  EXPECT_EQ(evaluate({{"If-None-Match", "\"x\\\", \"a,b\\\""}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"a"}}), kHolds);
  validators.etag = "W/\"abcdef\"";
  EXPECT_EQ(evaluate({{"If-None-Match", "\"1\" ,W/\"abcdef\""}}), kNotModified);
  validators.etag = "\"abcdef\xC3\xBC\"";
  EXPECT_EQ(evaluate({{"If-None-Match", "\"abcdef\xC3\xBC\""}}), kNotModified);
  validators.etag = "";
  EXPECT_EQ(evaluate({{"If-None-Match", "\"abcdef\""}}), kHolds);
  EXPECT_EQ(evaluate({{"If-None-Match", "W/"}}), kHolds);
}

TEST_F(Preconditions, IfNoneMatchGoesBeforeIfModifiedSince_Rfc9110_13_2_2) {
  EXPECT_EQ(evaluate({{"If-None-Match", "\"abcdef\""}, {"If-Modified-Since", kBefore}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-None-Match", "\"other\""}, {"If-Modified-Since", kAfter}}), kHolds);
}

TEST_F(Preconditions, IfModifiedSinceComparesDates_Rfc9110_13_1_3) {
  EXPECT_EQ(evaluate({{"If-Modified-Since", kSame}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-Modified-Since", kSameByRfc850}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-Modified-Since", kAfter}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-Modified-Since", kBefore}}), kHolds);
  EXPECT_EQ(evaluate({{"If-Modified-Since", "yesterday"}}), kHolds);
  EXPECT_EQ(evaluate({{"If-Modified-Since", kSame}}, Method::kPost), kHolds);
}

TEST_F(Preconditions, IfModifiedSinceIsHeldAgainstDateWhereThereIsNoLastModified_Rfc9111_4_3_2) {
  validators.last_modified = std::nullopt;
  validators.date = kModified;
  EXPECT_EQ(evaluate({{"If-Modified-Since", kSame}}), kNotModified);
  EXPECT_EQ(evaluate({{"If-Modified-Since", kBefore}}), kHolds);
}

TEST_F(Preconditions, IfMatchComparesStronglyAndGoesFirst_Rfc9110_13_1_1) {
  EXPECT_EQ(evaluate({{"If-Match", "\"abcdef\""}}), kHolds);
  EXPECT_EQ(evaluate({{"If-Match", "*"}}), kHolds);
  EXPECT_EQ(evaluate({{"If-Match", "W/\"abcdef\""}}), kFailed);
  EXPECT_EQ(evaluate({{"If-Match", "\"x\""}, {"If-None-Match", "\"abcdef\""}}), kFailed);
  EXPECT_EQ(evaluate({{"If-Match", "\"abcdef\""}, {"If-Unmodified-Since", kBefore}}), kHolds);
  EXPECT_EQ(evaluate({{"If-Match", "\"abcdef\""}, {"If-None-Match", "\"abcdef\""}}), kNotModified);
  validators.etag = "W/\"abcdef\"";
  EXPECT_EQ(evaluate({{"If-Match", "W/\"abcdef\""}}), kFailed);
  validators.exists = false;
  EXPECT_EQ(evaluate({{"If-Match", "*"}}), kFailed);
  EXPECT_EQ(evaluate({{"If-None-Match", "*"}}, Method::kPut), kHolds);
}

TEST_F(Preconditions, IfUnmodifiedSinceFailsForALaterChange_Rfc9110_13_1_4) {
  EXPECT_EQ(evaluate({{"If-Unmodified-Since", kBefore}}), kFailed);
  EXPECT_EQ(evaluate({{"If-Unmodified-Since", kSame}}), kHolds);
  EXPECT_EQ(evaluate({{"If-Unmodified-Since", "x"}}), kHolds);
  validators.last_modified = std::nullopt;
  EXPECT_EQ(evaluate({{"If-Unmodified-Since", kBefore}}), kHolds);
}

TEST_F(Preconditions, IfRangeNeedsAStrongValidator_Rfc9110_13_1_5) {
  EXPECT_TRUE(range_holds("\"abcdef\""));
  EXPECT_FALSE(range_holds("W/\"abcdef\""));
  EXPECT_FALSE(range_holds("\"other\""));
  EXPECT_TRUE(range_holds(kSame));
  EXPECT_FALSE(range_holds(kAfter));
  EXPECT_FALSE(range_holds("tomorrow"));
  EXPECT_TRUE(if_range_holds(fields({}), validators, kNow));
  validators.etag = "W/\"abcdef\"";
  EXPECT_FALSE(range_holds("W/\"abcdef\""));
  EXPECT_FALSE(range_holds("\"abcdef\""));
}

TEST_F(Preconditions, IfRangeTrustsNoDateOfTheSameSecond_Rfc9110_8_8_2_2) {
  validators.date = kModified;
  EXPECT_FALSE(range_holds(kSame));
  validators.date = kModified + 1;
  EXPECT_TRUE(range_holds(kSame));
  validators.last_modified = std::nullopt;
  EXPECT_FALSE(range_holds(kSame));
}

}   // namespace
}   // namespace proxyd::http
