#include <gtest/gtest.h>

#include "tests/unit/worker/caching/small_cache.h"

namespace proxyd::caching {
namespace {

// The rules at work together, as a client sees them.
class CachedResponse : public testing::Test, public SmallCache {
 protected:
  void answers(OwnedLines lines, int status = 200) { origin = {status, std::move(lines), "content", true}; }
};

TEST_F(CachedResponse, IsGivenUntilItIsStale_Rfc9111_4_2) {
  answers({{"Cache-Control", "max-age=5"}, {"Date", date(0)}});
  EXPECT_TRUE(get().asked);
  pass(4);
  EXPECT_TRUE(get().cached());
  pass(2);
  EXPECT_TRUE(get().asked);
}

TEST_F(CachedResponse, SaysItsAgeAndKeepsItsDate_Rfc9111_4) {
  answers({{"Expires", date(2'592'000)}, {"Date", date(0)}, {"Age", "30"}});
  const std::string made = date(0);
  get();
  pass(3);
  const Seen seen = get();
  EXPECT_EQ(seen.field("Age"), "33");
  EXPECT_EQ(seen.field("Date"), made);
}

TEST_F(CachedResponse, OutlivesNoStepOfTheClock_Rfc9111_4_2_3) {
  answers({{"Cache-Control", "max-age=60"}, {"Date", date(0)}});
  get();
  step(-3600);
  EXPECT_TRUE(get().cached());
  pass(61);
  EXPECT_TRUE(get().asked);
  answers({{"Cache-Control", "max-age=60"}, {"Date", date(0)}});
  get();
  step(86'400);
  EXPECT_TRUE(get().cached());
}

TEST_F(CachedResponse, IsNoneWithoutALifetime_Rfc9111_4_2_2) {
  answers({{"Last-Modified", date(-86'400)}});
  get();
  EXPECT_TRUE(get().asked);
  policy.heuristic = true;
  get();
  EXPECT_TRUE(get().cached());
}

TEST_F(CachedResponse, IsNotDisturbedByAClientsUnknownDirectives_Rfc9111_5_2_3) {
  answers({{"Cache-Control", "max-age=60"}});
  get();
  EXPECT_TRUE(get({{"Pragma", "foo"}, {"Cache-Control", "nothing-to-see-here"}}).cached());
}

TEST_F(CachedResponse, OlderThanOneThatWasNotStoredGoesOn_Rfc9111_5_2_2_5) {
  answers({{"Cache-Control", "max-age=60"}, {"A", "1"}});
  get();
  answers({{"Cache-Control", "no-store"}, {"A", "2"}});
  EXPECT_EQ(get({{"Cache-Control", "no-cache"}}).field("A"), "2");
  EXPECT_EQ(get().field("A"), "1");
}

TEST_F(CachedResponse, IsValidatedByItsEntityTag_Rfc9111_4_3) {
  answers({{"Cache-Control", "max-age=2"}, {"ETag", "\"abc\""}, {"X", "1"}});
  get();
  pass(3);
  origin.lines[2].second = "2";
  const Seen validated = get({{"If-None-Match", "\"other\""}});
  EXPECT_EQ(validated.asked_field("If-None-Match"), "\"abc\"");
  EXPECT_EQ(validated.status, 200);
  EXPECT_EQ(validated.content, "content");
  EXPECT_EQ(validated.field("X"), "2");
  EXPECT_EQ(get().field("X"), "2");
  EXPECT_TRUE(get().cached());
}

TEST_F(CachedResponse, IsValidatedByItsDateAndTheClientToldSo_Rfc9111_4_3_2) {
  const std::string modified = date(-3000);
  answers({{"Cache-Control", "max-age=2"}, {"Last-Modified", modified}, {"Date", date(0)}});
  get();
  pass(3);
  const Seen validated = get({{"If-Modified-Since", modified}});
  EXPECT_EQ(validated.asked_field("If-Modified-Since"), modified);
  EXPECT_EQ(validated.status, 304);
  EXPECT_EQ(get({{"If-Modified-Since", date(-2000)}}).status, 304);
}

TEST_F(CachedResponse, WithNoCacheIsValidatedEachTime_Rfc9111_5_2_2_4) {
  answers({{"Cache-Control", "max-age=10000, No-CaChE"}, {"ETag", "\"abc\""}});
  get();
  for (int i = 0; i < 3; ++i) {
    const Seen seen = get();
    EXPECT_EQ(seen.asked_field("If-None-Match"), "\"abc\"");
    EXPECT_EQ(seen.content, "content");
  }
}

TEST_F(CachedResponse, IsReplacedWhenTheOriginHasAnother_Rfc9111_4_3_3) {
  answers({{"Cache-Control", "max-age=2"}, {"ETag", "\"abc\""}});
  get();
  pass(3);
  origin = {200, {{"Cache-Control", "max-age=60"}, {"ETag", "\"def\""}}, "other", true};
  EXPECT_EQ(get().content, "other");
  EXPECT_EQ(get().content, "other");
  EXPECT_TRUE(get().cached());
}

TEST_F(CachedResponse, GoesOnWhileItIsRevalidated_Rfc5861_3) {
  answers({{"Cache-Control", "max-age=1, stale-while-revalidate=4"}, {"ETag", "\"abc\""}});
  get();
  pass(3);
  origin = {200, {{"Cache-Control", "max-age=60"}, {"ETag", "\"def\""}}, "other", true};
  const Seen stale = get();
  EXPECT_TRUE(stale.cached());
  EXPECT_EQ(stale.content, "content");
  EXPECT_EQ(get().content, "other");
  EXPECT_TRUE(get().cached());
}

TEST_F(CachedResponse, IsNotGivenBeyondTheWindow_Rfc5861_3) {
  answers({{"Cache-Control", "max-age=1, stale-while-revalidate=4"}, {"ETag", "\"abc\""}});
  get();
  pass(6);
  EXPECT_TRUE(get().asked);
}

TEST_F(CachedResponse, HidesAnErrorWhereItMay_Rfc5861_4) {
  answers({{"Cache-Control", "max-age=2, stale-if-error=60"}});
  get();
  pass(3);
  answers({}, 503);
  EXPECT_EQ(get().status, 200);
  pass(60);
  EXPECT_EQ(get().status, 503);
}

TEST_F(CachedResponse, HidesNoErrorWhereTheOriginForbidsIt_Rfc9111_4_2_4) {
  policy.stale_if_error = 60'000;
  for (const std::string_view directive : {"must-revalidate", "proxy-revalidate", "no-cache", "s-maxage=2"}) {
    answers({{"Cache-Control", "max-age=2, " + std::string(directive)}, {"ETag", "\"x\""}});
    get({}, "/" + std::string(directive));
    pass(3);
    answers({}, 503);
    EXPECT_EQ(get({}, "/" + std::string(directive)).status, 503) << directive;
  }
}

TEST_F(CachedResponse, IsOneOfItsVariants_Rfc9111_4_1) {
  answers({{"Cache-Control", "max-age=60"}, {"Vary", "Foo"}});
  origin.content = "one";
  get({{"Foo", "1"}});
  EXPECT_TRUE(get({{"Foo", "1"}, {"Other", "x"}}).cached());
  EXPECT_TRUE(get().asked);
  origin.content = "two";
  EXPECT_TRUE(get({{"Foo", "2"}}).asked);
  EXPECT_EQ(get({{"Foo", "1"}}).content, "one");
  EXPECT_EQ(get({{"Foo", "2"}}).content, "two");
}

TEST_F(CachedResponse, IsFoundByTheLanguageWantedMost_Rfc9110_12_5_4) {
  answers({{"Cache-Control", "max-age=60"}, {"Vary", "Accept-Language"}, {"Content-Language", "de"}});
  get({{"Accept-Language", "en, de"}});
  EXPECT_TRUE(get({{"Accept-Language", "fr;q=0.5, de;q=1.0"}}).cached());
  EXPECT_TRUE(get({{"Accept-Language", "de, en"}}).cached());
  EXPECT_TRUE(get({{"Accept-Language", "fr"}}).asked);
}

TEST_F(CachedResponse, AnswersHead_Rfc9110_9_3_2) {
  answers({{"Cache-Control", "max-age=60"}});
  EXPECT_TRUE(fetch("HEAD").asked);
  EXPECT_TRUE(get().asked);
  EXPECT_TRUE(fetch("HEAD").cached());
}

TEST_F(CachedResponse, IsForgottenAfterAnUnsafeMethodSucceeds_Rfc9111_4_4) {
  for (const std::string_view method : {"POST", "PUT", "DELETE", "M-SEARCH"}) {
    answers({{"Cache-Control", "max-age=60"}});
    get({}, "/a");
    get({}, "/dir/b");
    answers({}, 500);
    fetch(method, {}, "/a");
    EXPECT_TRUE(get({}, "/a").cached()) << method;
    answers({{"Location", "b"}});
    fetch(method, {}, "/dir/c");
    fetch(method, {}, "/a");
    EXPECT_TRUE(get({}, "/a").asked) << method;
    EXPECT_TRUE(get({}, "/dir/b").asked) << method;
  }
}

TEST_F(CachedResponse, MayBeThatOfAPost_Rfc9110_9_3_3) {
  policy.methods.push_back(http::Method::kPost);
  answers({{"Expires", date(86'400)}, {"Date", date(0)}, {"Content-Location", "/a"}});
  fetch("POST");
  EXPECT_TRUE(get().cached());
}

TEST_F(CachedResponse, GivesRanges_Rfc9110_14_2) {
  answers({{"Cache-Control", "max-age=60"}, {"ETag", "\"x\""}});
  origin.content = "0123456789A";
  const Seen first = get({{"Range", "bytes=0-1"}});
  EXPECT_EQ(first.asked_field("Range"), "absent");
  EXPECT_EQ(first.content, "01");
  EXPECT_EQ(get({{"Range", "bytes=1-"}}).content, "123456789A");
  EXPECT_EQ(get({{"Range", "bytes=-1"}, {"If-Range", "\"x\""}}).content, "A");
  EXPECT_EQ(get({{"Range", "bytes=-1"}, {"If-Range", "\"y\""}}).status, 200);
  EXPECT_EQ(get({{"Range", "lines=1"}}).status, 200);
}

TEST_F(CachedResponse, MayBeAPartWhereRangesPass_Rfc9111_3_3) {
  policy.range = RangeMode::kPass;
  origin = {206, {{"Cache-Control", "max-age=3600"}, {"Content-Range", "bytes 4-9/10"}}, "01234", true};
  EXPECT_EQ(get({{"Range", "bytes=-5"}}).asked_field("Range"), "bytes=-5");
  for (const auto& [range, content] :
       {std::pair("bytes=-5", "01234"), {"bytes=6-8", "234"}, {"bytes=6-", "234"}, {"bytes=-1", "4"}}) {
    const Seen seen = get({{"Range", range}});
    EXPECT_TRUE(seen.cached());
    EXPECT_EQ(seen.status, 206);
    EXPECT_EQ(seen.content, content) << range;
  }
}

TEST_F(CachedResponse, ThatIsAPartIsCompletedForWhoAsksForAll_Rfc9111_3_3) {
  policy.range = RangeMode::kPass;
  origin = {206, {{"Cache-Control", "max-age=3600"}, {"Content-Range", "bytes 0-4/10"}}, "01234", true};
  get({{"Range", "bytes=-5"}});
  const Seen seen = get();
  EXPECT_EQ(seen.reason, Reason::kPartial);
  EXPECT_EQ(seen.asked_field("Range"), "bytes=5-");
  EXPECT_EQ(get({{"Range", "bytes=3-6"}}).reason, Reason::kPartial);
}

TEST_F(CachedResponse, IsAllThatOnlyIfCachedGets_Rfc9111_5_2_1_7) {
  answers({{"Cache-Control", "max-age=60"}});
  EXPECT_EQ(get({{"Cache-Control", "only-if-cached"}}).status, 504);
  get();
  EXPECT_EQ(get({{"Cache-Control", "only-if-cached"}}).status, 200);
}

TEST_F(CachedResponse, FollowsATargetedField_Rfc9213_2_2) {
  answers({{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=10000"}});
  get();
  EXPECT_TRUE(get().cached());
  answers({{"Cache-Control", "max-age=3600"}, {"CDN-Cache-Control", "max-age=1"}});
  get({}, "/b");
  pass(3);
  EXPECT_TRUE(get({}, "/b").asked);
  answers({{"CDN-Cache-Control", "max-age=3600"}, {"Age", "7200"}, {"Date", date(0)}});
  get({}, "/c");
  EXPECT_TRUE(get({}, "/c").asked);
}

TEST_F(CachedResponse, IsSharedWithRequestsThatHaveCookies_Rfc9111_7_3) {
  answers({{"Cache-Control", "max-age=60"}});
  get();
  EXPECT_TRUE(get({{"Cookie", "a=b"}}).cached());
  policy.store_set_cookie = StoreSetCookie::kStrip;
  answers({{"Cache-Control", "max-age=60"}, {"Set-Cookie", "a=b"}});
  get({}, "/b");
  EXPECT_EQ(get({}, "/b").field("Set-Cookie"), "absent");
  EXPECT_TRUE(get({}, "/b").cached());
}

}   // namespace
}   // namespace proxyd::caching
