#include "worker/caching/reuse.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

// A response stored at 0 with an age of 0 and a lifetime of 60 s, asked for `seconds` later.
class ReuseOfAResponse : public testing::Test, public Messages {
 protected:
  Reuse reuse(int64_t seconds, std::string_view cache_control = {}) {
    const CacheControl directives =
        cache_control.empty() ? CacheControl{} : request_directives(fields({{"Cache-Control", cache_control}}), policy);
    return decide_reuse(stored, directives, soft_purged, seconds * 1000);
  }
  std::string outcome(int64_t seconds, std::string_view cache_control = {}) {
    constexpr std::array<std::string_view, 4> kUses = {"serve", "revalidate", "ask", "504"};
    const Reuse made = reuse(seconds, cache_control);
    return std::string(kUses[static_cast<size_t>(made.use)]) + " " + std::string(to_string(made.reason));
  }
  bool on_error(int64_t seconds, std::string_view cache_control = {}) {
    return may_serve_stale_if_error(stored, request_directives(fields({{"Cache-Control", cache_control}}), policy),
                                    seconds * 1000);
  }
  static Freshness made() {
    Freshness freshness;
    freshness.lifetime = 60'000;
    return freshness;
  }
  Policy policy;
  Freshness stored = made();
  bool soft_purged = false;
};

TEST_F(ReuseOfAResponse, IsFreeWhileItIsFresh_Rfc9111_4_2) {
  EXPECT_EQ(outcome(0), "serve none");
  EXPECT_EQ(outcome(59), "serve none");
  EXPECT_EQ(outcome(60), "ask stale");
  EXPECT_EQ(reuse(59).age, 59'000);
  EXPECT_EQ(reuse(70).remaining, -10'000);
}

TEST_F(ReuseOfAResponse, AsksTheOriginWhereNoCacheSaysSo_Rfc9111_5_2_2_4) {
  stored.flags = Freshness::kNoCache | Freshness::kMustRevalidate;
  EXPECT_EQ(outcome(0), "ask no_cache");
  EXPECT_EQ(outcome(0, "max-stale"), "ask no_cache");
}

TEST_F(ReuseOfAResponse, FollowsNoCacheOfARequest_Rfc9111_5_2_1_4) {
  EXPECT_EQ(outcome(0, "no-cache"), "ask request_no_cache");
}

TEST_F(ReuseOfAResponse, FollowsMaxAgeOfARequest_Rfc9111_5_2_1_1) {
  EXPECT_EQ(outcome(0, "max-age=0"), "ask request_max_age");
  EXPECT_EQ(outcome(1, "max-age=1"), "serve none");
  EXPECT_EQ(outcome(2, "max-age=1"), "ask request_max_age");
  EXPECT_EQ(outcome(30, "max-age=600"), "serve none");
  stored.initial_age = 30'000;
  EXPECT_EQ(outcome(0, "max-age=10"), "ask request_max_age");
}

TEST_F(ReuseOfAResponse, FollowsMinFreshOfARequest_Rfc9111_5_2_1_3) {
  EXPECT_EQ(outcome(0, "min-fresh=61"), "ask request_min_fresh");
  EXPECT_EQ(outcome(0, "min-fresh=60"), "serve none");
  EXPECT_EQ(outcome(1, "min-fresh=60"), "ask request_min_fresh");
}

TEST_F(ReuseOfAResponse, FollowsMaxStaleOfARequestUnlessForbidden_Rfc9111_5_2_1_2) {
  EXPECT_EQ(outcome(70, "max-stale=10"), "serve stale");
  EXPECT_EQ(outcome(71, "max-stale=10"), "ask stale");
  EXPECT_EQ(outcome(86'400, "max-stale"), "serve stale");
  stored.flags = Freshness::kMustRevalidate;
  EXPECT_EQ(outcome(61, "max-stale=10"), "ask stale");
}

TEST_F(ReuseOfAResponse, IsAllThereIsForOnlyIfCached_Rfc9111_5_2_1_7) {
  EXPECT_EQ(outcome(0, "only-if-cached"), "serve none");
  EXPECT_EQ(outcome(60, "only-if-cached"), "504 stale");
  EXPECT_EQ(outcome(0, "only-if-cached, no-cache"), "504 request_no_cache");
  EXPECT_EQ(outcome(60, "only-if-cached, max-stale=5"), "serve stale");
  CacheControl only;
  EXPECT_EQ(use_of_nothing(only), Use::kAskOrigin);
  only.only_if_cached = true;
  EXPECT_EQ(use_of_nothing(only), Use::kGatewayTimeout);
}

TEST_F(ReuseOfAResponse, TakesPragmaForNoCacheWhereThereIsNoCacheControl_Rfc9111_5_4) {
  EXPECT_TRUE(request_directives(fields({{"Pragma", "no-cache"}}), policy).no_cache);
  EXPECT_FALSE(request_directives(fields({{"Pragma", "no-cache"}, {"Cache-Control", "x"}}), policy).no_cache);
  EXPECT_FALSE(request_directives(fields({{"Pragma", "foo"}}), policy).no_cache);
  policy.ignore_pragma = true;
  EXPECT_FALSE(request_directives(fields({{"Pragma", "no-cache"}}), policy).no_cache);
  policy.ignore_cache_control = true;
  EXPECT_FALSE(request_directives(fields({{"Cache-Control", "no-cache"}}), policy).no_cache);
}

TEST_F(ReuseOfAResponse, IsNotDisturbedByUnknownDirectives_Rfc9111_5_2_3) {
  EXPECT_EQ(outcome(0, "nothing-to-see-here"), "serve none");
}

TEST_F(ReuseOfAResponse, NeedsNoReloadWhileImmutable_Rfc8246_2) {
  stored.flags = Freshness::kImmutable;
  EXPECT_EQ(outcome(5, "max-age=0"), "serve none");
  EXPECT_EQ(outcome(5, "no-cache"), "ask request_no_cache");
  EXPECT_EQ(outcome(60, "max-age=0"), "ask request_max_age");
}

TEST_F(ReuseOfAResponse, GoesOnWhileTheOriginIsAsked_Rfc5861_3) {
  stored.stale_while_revalidate = 10'000;
  EXPECT_EQ(outcome(59), "serve none");
  EXPECT_EQ(outcome(70), "revalidate stale");
  EXPECT_EQ(outcome(71), "ask stale");
  EXPECT_EQ(outcome(65, "no-cache"), "ask request_no_cache");
  EXPECT_EQ(outcome(65, "only-if-cached"), "revalidate stale");
}

TEST_F(ReuseOfAResponse, EndsWithASoftPurgeButForStaleLeave) {
  soft_purged = true;
  EXPECT_EQ(outcome(5), "ask soft_purged");
  EXPECT_EQ(outcome(5, "max-stale"), "ask soft_purged");
  stored.stale_while_revalidate = 10'000;
  EXPECT_EQ(outcome(5), "revalidate soft_purged");
  EXPECT_EQ(outcome(71), "ask soft_purged");
}

TEST_F(ReuseOfAResponse, StandsInForAnErrorWithinItsWindow_Rfc5861_4) {
  EXPECT_FALSE(on_error(61));
  EXPECT_TRUE(on_error(70, "stale-if-error=10"));
  stored.stale_if_error = 20'000;
  EXPECT_TRUE(on_error(80));
  EXPECT_FALSE(on_error(81));
  EXPECT_FALSE(on_error(70, "no-cache"));
  EXPECT_TRUE(on_error(70, "max-age=0"));
}

TEST_F(ReuseOfAResponse, NeverStandsInWhereTheOriginForbidsIt_Rfc9111_4_2_4) {
  stored.flags = Freshness::kMustRevalidate;
  EXPECT_FALSE(on_error(61, "stale-if-error=10"));
  stored.flags = Freshness::kNoCache;
  stored.stale_if_error = 20'000;
  EXPECT_FALSE(on_error(61));
}

TEST_F(ReuseOfAResponse, HidesErrorsOfServersAlone_Rfc5861_4) {
  for (const int status : {500, 502, 503, 504}) EXPECT_TRUE(is_status_for_stale_if_error(status));
  for (const int status : {200, 404, 429, 501, 505}) EXPECT_FALSE(is_status_for_stale_if_error(status));
}

TEST_F(ReuseOfAResponse, IsWhatARequestWantedThatCameBeforeItWasAskedFor) {
  stored.response_time = 5000;
  stored.took = 1000;
  const auto fits = [this](std::string_view cache_control, int64_t began) {
    return was_asked_since(stored, reuse(6, cache_control), began);
  };
  EXPECT_TRUE(fits("no-cache", 4000));
  EXPECT_TRUE(fits("max-age=0", 4000));
  EXPECT_FALSE(fits("no-cache", 4001));
  EXPECT_FALSE(fits("min-fresh=100", 4000));   // that would have to be another response
  stored.flags = Freshness::kNoCache;
  EXPECT_FALSE(fits({}, 4000));   // the origin wants to be asked each time
  stored.flags = 0;
  stored.lifetime = 500;
  EXPECT_FALSE(fits("no-cache", 4000));   // stale by now
}

TEST_F(ReuseOfAResponse, SaysItsAgeInWholeSeconds_Rfc9111_5_1) {
  EXPECT_EQ(age_in_seconds(3999), 3);
  EXPECT_EQ(age_in_seconds(INT64_MAX / 2), kMostSeconds);
}

}   // namespace
}   // namespace proxyd::caching
