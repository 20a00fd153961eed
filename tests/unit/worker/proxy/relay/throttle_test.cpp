#include "worker/proxy/relay/throttle.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

constexpr uint64_t kRate = 1024 * 1024;

// How much has left after `time`, by a sender that takes all that it is allowed and waits as it is told.
uint64_t sent_in(milliseconds time, const config::Bandwidth& settings) {
  Throttle throttle(settings);
  const Instant begin = Instant{} + std::chrono::hours(1);
  uint64_t sent = 0;
  for (Instant now = begin; now <= begin + time;) {
    const uint64_t allowed = throttle.allowance(now);
    sent += allowed;
    throttle.moved(allowed);
    if (allowed == 0) now = throttle.next(now);
  }
  return sent;
}

TEST(Throttle, LetsThroughItsRateAndNoMore) {
  const auto sent = static_cast<double>(sent_in(milliseconds(10'000), {kRate, 0}));
  EXPECT_NEAR(sent, 10.0 * kRate, 0.02 * 10 * kRate);
  EXPECT_LE(sent, 10.0 * kRate + 64 * 1024);
}

TEST(Throttle, DoesNotHoldBackWhatLeavesFirst) {
  EXPECT_EQ(sent_in(milliseconds(0), {kRate, 5 * kRate}), 5 * kRate);
  EXPECT_NEAR(static_cast<double>(sent_in(milliseconds(1000), {kRate, 5 * kRate})), 6.0 * kRate, 0.05 * kRate);
}

TEST(Throttle, OfASlowRateSendsAKibibyteAtATime) {
  Throttle throttle({1024, 0});
  const Instant begin = Instant{} + std::chrono::hours(1);
  EXPECT_EQ(throttle.allowance(begin), 0u);
  EXPECT_EQ(throttle.next(begin), begin + milliseconds(1000));
  EXPECT_EQ(throttle.allowance(begin + milliseconds(999)), 0u);
  EXPECT_EQ(throttle.allowance(begin + milliseconds(1001)), 1024u);
}

TEST(Throttle, MakesUpForAnEighthOfASecondOfAPauseOnly) {
  Throttle throttle({kRate, 0});
  const Instant begin = Instant{} + std::chrono::hours(1);
  (void)throttle.allowance(begin);
  EXPECT_EQ(throttle.allowance(begin + std::chrono::seconds(30)), kRate / 8);
}

}   // namespace
}   // namespace proxyd::proxy
