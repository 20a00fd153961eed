#include "worker/caching/freshness.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

class FreshnessOfAResponse : public testing::Test, public Messages {
 protected:
  Lifetime lifetime(Lines lines, int status = 200, Lines request_lines = {}) {
    const http::ResponseHead head = response(lines, status);
    return lifetime_of(head, response_directives(head.fields, policy), fields(request_lines), policy, kNow);
  }
  int64_t seconds(Lines lines, int status = 200) { return lifetime(lines, status).duration / 1000; }
  LifetimeSource source(Lines lines, int status = 200, Lines request_lines = {}) {
    return lifetime(lines, status, request_lines).source;
  }
  int64_t initial_age(Lines lines, Moment sent = kNow) { return corrected_initial_age(fields(lines), sent, kNow); }
  Policy policy;
};

TEST_F(FreshnessOfAResponse, PrefersSMaxageThenMaxAgeThenExpires_Rfc9111_4_2_1) {
  const std::string later = date_text(500);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=3600, s-maxage=1"}, {"Expires", later}}), 1);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=0"}, {"Cache-Control", "s-maxage=3600"}}), 3600);
  EXPECT_EQ(seconds({{"Expires", later}, {"Cache-Control", "max-age=0"}, {"Date", date_text(0)}}), 0);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=3600"}, {"Expires", date_text(-7200)}}), 3600);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=3600"}, {"Expires", "0"}}), 3600);
  EXPECT_EQ(seconds({{"Expires", later}, {"Date", date_text(0)}}), 500);
}

TEST_F(FreshnessOfAResponse, CountsExpiresFromDate_Rfc9111_4_2_1) {
  EXPECT_EQ(seconds({{"Expires", date_text(20)}, {"Date", date_text(10)}}), 10);
  EXPECT_EQ(seconds({{"Expires", date_text(300)}, {"Date", date_text(400)}}), 0);
  EXPECT_EQ(seconds({{"Expires", date_text(0)}, {"Date", date_text(0)}}), 0);
  EXPECT_EQ(seconds({{"Expires", date_text(10)}, {"Date", "foo"}}), 10);
  EXPECT_EQ(seconds({{"Expires", date_text(10)}}), 10);
}

TEST_F(FreshnessOfAResponse, IsOverWhenExpiresIsNoDate_Rfc9111_5_3) {
  for (const std::string_view expires :
       {"0", "-1", "", "Thu, 18 Aug 2050 02:01:18 UTC", "Thu 18 Aug 2050 02:01:18 GMT"}) {
    EXPECT_EQ(seconds({{"Expires", expires}}), 0) << expires;
    EXPECT_EQ(source({{"Expires", expires}}), LifetimeSource::kExpires) << expires;
  }
  EXPECT_EQ(seconds({{"Expires", date_text(100)}, {"Expires", "0"}}), 0);
  EXPECT_EQ(seconds({{"Expires", date_text(100)}, {"Expires", date_text(50)}}), 50);
}

TEST_F(FreshnessOfAResponse, LeavesExpiresAsideWhereATargetedFieldSpeaks_Rfc9213_2_2) {
  EXPECT_EQ(seconds({{"CDN-Cache-Control", "max-age=3600"}, {"Expires", "0"}}), 3600);
  EXPECT_EQ(seconds({{"CDN-Cache-Control", "max-age=0"}, {"Expires", date_text(100)}}), 0);
  EXPECT_EQ(source({{"CDN-Cache-Control", "public"}, {"Expires", date_text(100)}}), LifetimeSource::kNone);
}

TEST_F(FreshnessOfAResponse, IsNotGuessedUnlessThePolicySaysSo_Rfc9111_4_2_2) {
  EXPECT_EQ(source({{"Last-Modified", date_text(-86'400)}}), LifetimeSource::kNone);
  policy.heuristic = true;
  EXPECT_EQ(seconds({{"Last-Modified", date_text(-86'400)}, {"Date", date_text(0)}}), 8640);
  EXPECT_EQ(seconds({{"Last-Modified", date_text(-86'400 * 3650)}}), 86'400);
  EXPECT_EQ(source({{"Last-Modified", date_text(5)}}), LifetimeSource::kNone);
  EXPECT_EQ(source({{"Last-Modified", "yesterday"}}), LifetimeSource::kNone);
  EXPECT_EQ(source({}), LifetimeSource::kNone);
}

TEST_F(FreshnessOfAResponse, IsGuessedForSomeStatusesOnly_Rfc9111_4_2_2) {
  policy.heuristic = true;
  for (const int status : {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
    EXPECT_EQ(source({{"Last-Modified", date_text(-86'400)}}, status), LifetimeSource::kHeuristic) << status;
  for (const int status : {201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(source({{"Last-Modified", date_text(-86'400)}}, status), LifetimeSource::kNone) << status;
    EXPECT_EQ(source({{"Last-Modified", date_text(-86'400)}, {"Cache-Control", "public"}}, status),
              LifetimeSource::kHeuristic)
        << status;
  }
}

TEST_F(FreshnessOfAResponse, IsTheDefaultOfItsStatusWhereTheOriginGivesNone) {
  policy.default_ttl = {{200, 60'000}, {404, 10'000}};
  EXPECT_EQ(seconds({}), 60);
  EXPECT_EQ(seconds({}, 404), 10);
  EXPECT_EQ(source({}, 500), LifetimeSource::kNone);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=0"}}), 0);
  EXPECT_EQ(seconds({{"Expires", "0"}}), 0);
}

TEST_F(FreshnessOfAResponse, IsNotOursToGiveWhenTheRequestHasCookiesThatNobodyNamed) {
  policy.default_ttl = {{200, 60'000}};
  policy.heuristic = true;
  const Lines cookie = {{"Cookie", "a=b"}};
  EXPECT_EQ(source({}, 200, cookie), LifetimeSource::kNone);
  EXPECT_EQ(source({{"Last-Modified", date_text(-86'400)}}, 200, cookie), LifetimeSource::kNone);
  EXPECT_EQ(source({{"Cache-Control", "max-age=5"}}, 200, cookie), LifetimeSource::kMaxAge);
  policy.ignore_cookies = true;
  EXPECT_EQ(source({}, 200, cookie), LifetimeSource::kDefaultTtl);
  policy.ignore_cookies = false;
  policy.bypass.cookies = {NamePattern::from("session")};
  EXPECT_EQ(source({}, 200, cookie), LifetimeSource::kDefaultTtl);
}

TEST_F(FreshnessOfAResponse, IsNotOursToGiveAgainstPragma_Rfc9111_5_4) {
  policy.default_ttl = {{200, 60'000}};
  EXPECT_EQ(source({{"Pragma", "no-cache"}}), LifetimeSource::kNone);
  EXPECT_EQ(source({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=5"}}), LifetimeSource::kMaxAge);
  EXPECT_EQ(source({{"Pragma", "no-cache"}, {"Cache-Control", "public"}}), LifetimeSource::kDefaultTtl);
  policy.ignore_pragma = true;
  EXPECT_EQ(source({{"Pragma", "no-cache"}}), LifetimeSource::kDefaultTtl);
}

TEST_F(FreshnessOfAResponse, IsClampedByThePolicyWhereThereIsSome) {
  policy.min_ttl = 60'000;
  policy.max_ttl = 600'000;
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=5"}}), 60);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=100"}}), 100);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=99999999999"}}), 600);
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=0"}}), 0);
  EXPECT_EQ(seconds({{"Expires", date_text(-5)}}), 0);
}

TEST_F(FreshnessOfAResponse, IgnoresFieldsThatThePolicyIgnores) {
  policy.ignore_cache_control = true;
  EXPECT_EQ(seconds({{"Cache-Control", "max-age=5"}, {"Expires", date_text(9)}, {"Date", date_text(0)}}), 9);
  policy.ignore_expires = true;
  EXPECT_EQ(source({{"Cache-Control", "max-age=5"}, {"Expires", date_text(9)}}), LifetimeSource::kNone);
}

TEST_F(FreshnessOfAResponse, TakesTheFirstValidMemberOfAge_Rfc9111_5_1) {
  EXPECT_EQ(parse_age(fields({{"Age", "7200, 0"}})), 7200);
  EXPECT_EQ(parse_age(fields({{"Age", "0, 7200"}})), 0);
  EXPECT_EQ(parse_age(fields({{"Age", "0"}, {"Age", "7200"}})), 0);
  EXPECT_EQ(parse_age(fields({{"Age", "7200"}, {"Age", "0"}})), 7200);
  EXPECT_EQ(parse_age(fields({{"Age", "abc"}})), 0);
  EXPECT_EQ(parse_age(fields({{"Age", "-7200"}})), 0);
  EXPECT_EQ(parse_age(fields({{"Age", "7200.0"}})), 0);
  EXPECT_EQ(parse_age(fields({{"Age", "abc"}, {"Age", "x, 5"}})), 5);
  EXPECT_EQ(parse_age(fields({{"Age", "2147483649"}})), kMostSeconds);
  EXPECT_EQ(parse_age(fields({})), 0);
}

TEST_F(FreshnessOfAResponse, BeginsWithTheGreaterOfApparentAndCorrectedAge_Rfc9111_4_2_3) {
  EXPECT_EQ(initial_age({{"Age", "30"}, {"Date", date_text(0)}}), 30'000);
  EXPECT_EQ(initial_age({{"Date", date_text(-7200)}}), 7'199'251);
  EXPECT_EQ(initial_age({{"Date", date_text(-10)}, {"Age", "25"}}), 25'000);
  EXPECT_EQ(initial_age({{"Date", date_text(86'400)}}), 0);
  EXPECT_EQ(initial_age({}), 0);
  EXPECT_EQ(initial_age({{"Date", "x"}}), 0);
  EXPECT_EQ(initial_age({{"Age", "30"}}, after(kNow, -5)), 35'000);
}

TEST_F(FreshnessOfAResponse, IsNotLostToTheSecondThatDateLeavesOut_Rfc9111_4_2_3) {
  EXPECT_EQ(initial_age({{"Date", date_text(0)}}), 0);
  EXPECT_EQ(initial_age({{"Date", date_text(-1)}}), 251);
}

TEST(FreshnessOfAStoredResponse, CountsItsAgeByTheSteadyClock_Rfc9111_4_2_3) {
  Freshness freshness;
  freshness.response_time = kNow.steady;
  freshness.initial_age = 5000;
  freshness.lifetime = 60'000;
  EXPECT_EQ(freshness.age(kNow.steady + 3000), 8000);
  EXPECT_EQ(freshness.remaining(kNow.steady + 3000), 52'000);
  EXPECT_EQ(freshness.remaining(kNow.steady + 58'000), -3000);
  EXPECT_EQ(freshness.fresh_until(), kNow.steady + 55'000);
  EXPECT_EQ(freshness.age(kNow.steady - 999), 5000);
}

}   // namespace
}   // namespace proxyd::caching
