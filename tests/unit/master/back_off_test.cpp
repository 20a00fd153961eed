#include "master/back_off.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using std::chrono::seconds;

TEST(BackOff, StartsAtOnceThenDoublesAndForgetsAfterALongLife) {
  BackOff back_off;
  Instant now{};
  back_off.died(now, now, false);
  EXPECT_EQ(back_off.next_start(), now);
  back_off.died(now, now, false);
  EXPECT_EQ(back_off.next_start(), now + milliseconds(100));
  back_off.died(now, now, false);
  EXPECT_EQ(back_off.next_start(), now + milliseconds(200));
  back_off.died(now, now + seconds(61), false);
  EXPECT_EQ(back_off.next_start(), now + seconds(61));
}

TEST(BackOff, RestsAfterMoreThanFiveDeathsInAMinuteButNeverTheLastSlot) {
  BackOff some, last;
  const Instant now{};
  for (int i = 0; i < 6; ++i) {
    some.died(now, now, false);
    last.died(now, now, true);
  }
  EXPECT_TRUE(some.resting(now + seconds(59)));
  EXPECT_FALSE(some.resting(now + seconds(60)));
  EXPECT_FALSE(last.resting(now));
}

}   // namespace
}   // namespace proxyd::master
