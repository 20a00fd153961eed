#include "worker/http/date.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>

namespace proxyd::http {
namespace {

constexpr int64_t kNow = 1'795'000'000;          // November 2026
constexpr int64_t kRfcExample = 784'111'777;     // the example of RFC 9110
constexpr int64_t kAugust2050 = 2'544'400'878;   // 18 Aug 2050 02:01:18
constexpr int64_t kFirstOfYear1 = -62'135'596'800;
constexpr int64_t kLastOfYear9999 = 253'402'300'799;

std::string text_of(int64_t seconds) {
  const auto text = format_date(seconds);
  return {text.data(), text.size()};
}

std::string by_the_library(int64_t seconds) {
  const time_t when = seconds;
  std::tm utc{};
  gmtime_r(&when, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

TEST(Date, IsReadInItsThreeForms_Rfc9110_5_6_7) {
  EXPECT_EQ(parse_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kRfcExample);
  EXPECT_EQ(parse_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kRfcExample);
  EXPECT_EQ(parse_date("Sun Nov  6 08:49:37 1994", kNow), kRfcExample);
  EXPECT_EQ(parse_date("Thu Aug 18 02:01:18 2050", kNow), kAugust2050);
}

TEST(Date, IsReadInAnyCase_Rfc9111_4_2) {
  EXPECT_EQ(parse_date("THU, 18 Aug 2050 02:01:18 GMT", kNow), kAugust2050);
  EXPECT_EQ(parse_date("Thu, 18 AUG 2050 02:01:18 GMT", kNow), kAugust2050);
  EXPECT_EQ(parse_date("Thu, 18 Aug 2050 02:01:18 gMT", kNow), kAugust2050);
}

TEST(Date, MayLieBeyond32Bits) {
  EXPECT_EQ(parse_date("Tue, 19 Jan 2038 14:14:08 GMT", kNow), 2'147'523'248);
  EXPECT_EQ(parse_date("Sun, 21 Nov 2286 04:46:39 GMT", kNow), 10'000'039'599);
  EXPECT_EQ(parse_date("Fri, 31 Dec 9999 23:59:59 GMT", kNow), kLastOfYear9999);
  EXPECT_EQ(parse_date("Thu, 01 Jan 1970 00:00:00 GMT", kNow), 0);
}

TEST(Date, OfTwoDigitsIsNotMoreThanFiftyYearsAhead_Rfc9110_5_6_7) {
  EXPECT_EQ(parse_date("Thursday, 18-Aug-50 02:01:18 GMT", kNow), kAugust2050);
  EXPECT_EQ(text_of(*parse_date("Saturday, 01-Jan-76 00:00:00 GMT", kNow)), "Wed, 01 Jan 2076 00:00:00 GMT");
  EXPECT_EQ(text_of(*parse_date("Saturday, 01-Jan-77 00:00:00 GMT", kNow)), "Sat, 01 Jan 1977 00:00:00 GMT");
  const int64_t in2099 = *parse_date("Thu, 01 Jan 2099 00:00:00 GMT", kNow);
  EXPECT_EQ(text_of(*parse_date("Friday, 01-Jan-49 00:00:00 GMT", in2099)), "Wed, 01 Jan 2149 00:00:00 GMT");
  EXPECT_EQ(text_of(*parse_date("Friday, 01-Jan-50 00:00:00 GMT", in2099)), "Sat, 01 Jan 2050 00:00:00 GMT");
  EXPECT_EQ(text_of(*parse_date("Friday, 01-Jan-20 00:00:00 GMT", in2099)), "Mon, 01 Jan 2120 00:00:00 GMT");
}

TEST(Date, IsNothingElse_Rfc9110_5_6_7) {
  for (const std::string_view text : {"",
                                      "0",
                                      "-1",
                                      "Thu, 18 Aug 2050 02:01:18 UTC",
                                      "Thu, 18 Aug 2050 02:01:18 AEST",
                                      "Thu, 18 Aug 50 02:01:18 GMT",
                                      "Thu 18 Aug 2050 02:01:18 GMT",
                                      "Thu, 18  Aug  2050 02:01:18 GMT",
                                      "Thu, 18-Aug-2050 02:01:18 GMT",
                                      "Thu, 18 Aug 2050 02.01.18 GMT",
                                      "Thu, 18 Aug 2050 2:01:18 GMT",
                                      "Thu, 18 Aug 2050 02:01:18 GMT ",
                                      "Thu, 18 Aug 2050 02:01:18",
                                      "Thu, 18 Aug 2050 24:00:00 GMT",
                                      "Thu, 18 Aug 2050 02:60:00 GMT",
                                      "Thu, 18 Aug 2050 02:01:61 GMT",
                                      "Thu, 31 Jun 2050 02:01:18 GMT",
                                      "Thu, 29 Feb 2023 02:01:18 GMT",
                                      "Thu, 00 Jun 2050 02:01:18 GMT",
                                      "Xyz, 18 Aug 2050 02:01:18 GMT",
                                      "Thu, 18 Xyz 2050 02:01:18 GMT",
                                      "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT",
                                      "Thursday, 18-Aug-2050 02:01:18 GMT",
                                      "Thu, 18-Aug-50 02:01:18 GMT",
                                      "Thu Aug 8 02:01:18 2050",
                                      "Thu Aug  8 02:01:18 2050 GMT",
                                      "Sat, 01 Jan 0000 00:00:00 GMT",
                                      "2050-08-18T02:01:18Z and more"}) {
    EXPECT_EQ(parse_date(text, kNow), std::nullopt) << text;
  }
}

TEST(Date, MayBeALeapDayOrALeapSecond) {
  EXPECT_TRUE(parse_date("Tue, 29 Feb 2000 00:00:00 GMT", kNow));
  EXPECT_FALSE(parse_date("Tue, 29 Feb 1900 00:00:00 GMT", kNow));
  EXPECT_EQ(text_of(*parse_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow)), "Sun, 01 Jan 2017 00:00:00 GMT");
}

TEST(Date, IsWrittenAsTheLibraryWritesIt) {
  std::mt19937_64 random(1);
  std::uniform_int_distribution<int64_t> seconds(kFirstOfYear1 + 1000LL * 366 * 86'400, kLastOfYear9999);
  for (int i = 0; i < 20'000; ++i) {
    const int64_t when = seconds(random);
    ASSERT_EQ(text_of(when), by_the_library(when));
    ASSERT_EQ(parse_date(text_of(when), kNow), when);
  }
}

TEST(Date, IsCutToFourDigitsOfTheYear) {
  EXPECT_EQ(text_of(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(text_of(INT64_MIN), "Mon, 01 Jan 0001 00:00:00 GMT");
  EXPECT_EQ(parse_date(text_of(kFirstOfYear1), kNow), kFirstOfYear1);
}

}   // namespace
}   // namespace proxyd::http
