#include "worker/proxy/relay/pace.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

constexpr auto kSecond = milliseconds(1000);
const Instant kStart{std::chrono::hours(1)};

TEST(Pace, BeginsItsGapAnewWhenEnoughHasMoved) {
  Pace pace(config::seconds(10), 256);
  EXPECT_EQ(pace.deadline(kStart).when(), kStart + 10 * kSecond);
  EXPECT_FALSE(pace.moved(2559, kStart + 5 * kSecond));
  EXPECT_EQ(pace.deadline(kStart + 5 * kSecond).when(), kStart + 10 * kSecond);
  EXPECT_TRUE(pace.moved(1, kStart + 6 * kSecond));
  EXPECT_EQ(pace.deadline(kStart + 6 * kSecond).when(), kStart + 16 * kSecond);
}

TEST(Pace, OfAGapWithoutAnOctetIsSatisfiedByOne) {
  Pace pace(config::seconds(60), 0);
  (void)pace.deadline(kStart);
  EXPECT_TRUE(pace.moved(1, kStart + 59 * kSecond));
  EXPECT_EQ(pace.deadline(kStart + 59 * kSecond).when(), kStart + 119 * kSecond);
}

TEST(Pace, DoesNotRunWhileNobodyWaits) {
  Pace pace(config::seconds(10), 256);
  (void)pace.deadline(kStart);
  pace.pause();
  EXPECT_EQ(pace.deadline(kStart + 100 * kSecond).when(), kStart + 110 * kSecond);
}

TEST(Pace, WithoutALimitOrWithOneBeyondAllTimeNeverEnds) {
  EXPECT_TRUE(Pace(std::nullopt, 256).deadline(kStart).is_never());
  EXPECT_TRUE(Pace(config::Duration(int64_t{1} << 53), 256).deadline(kStart).is_never());
}

}   // namespace
}   // namespace proxyd::proxy
