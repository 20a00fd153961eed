#include "master/watch_dog.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using std::chrono::seconds;

TEST(WatchDog, BitesAfterFiveSecondsWithoutATurn) {
  WatchDog dog;
  const Instant now{seconds(100)};
  dog.turn(now);
  EXPECT_FALSE(dog.hangs(now, 105'000, 100'000));
  EXPECT_TRUE(dog.hangs(now, 105'001, 100'000));
  EXPECT_FALSE(dog.hangs(now, 105'001, 0));
}

TEST(WatchDog, GivesEveryWorkerFiveSecondsAgainAfterTheMachineSlept) {
  WatchDog dog;
  dog.turn(Instant{seconds(100)});
  dog.turn(Instant{seconds(110)});
  EXPECT_FALSE(dog.hangs(Instant{seconds(110)}, 110'000, 100'000));
  for (int now = 111; now < 115; ++now) {
    dog.turn(Instant{seconds(now)});
    EXPECT_FALSE(dog.hangs(Instant{seconds(now)}, 114'999, 100'000));
  }
  dog.turn(Instant{seconds(115)});
  EXPECT_TRUE(dog.hangs(Instant{seconds(115)}, 115'000, 100'000));
}

}   // namespace
}   // namespace proxyd::master
