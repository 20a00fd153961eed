#include "shared/limits/rate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace proxyd::limits {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kSecond = 1'000'000'000;

// One key under a rate: what it admits of requests at given instants.
class Key {
 public:
  explicit Key(Rate rate) : rate_(rate) {}
  bool ask(uint64_t now) {
    last = rate_.charge(word_, now);
    word_ = last.word;
    return last.admitted;
  }
  int burst(uint64_t now, int tries) {
    int admitted = 0;
    for (int i = 0; i < tries; ++i) admitted += ask(now) ? 1 : 0;
    return admitted;
  }
  void change(Rate rate) { rate_ = rate; }
  Rate::Charge last;

 private:
  Rate rate_;
  uint64_t word_ = 0;
};

constexpr uint64_t kStart = 1000 * kSecond + 7;

TEST(Bucket, AQuietClientMaySendTheRateAndTheBurstAtOnce) {
  Key key(Rate::bucket(50, 1s, 100));
  EXPECT_EQ(key.burst(kStart, 500), 150);
  EXPECT_EQ(key.burst(kStart + kSecond, 500), 50);
  EXPECT_EQ(key.burst(kStart + 100 * kSecond, 500), 150);
}

TEST(Bucket, AdmitsExactlyItsRateInTheLongRunHoweverRequestsCome) {
  for (const uint64_t gap : {uint64_t{1'000'000}, uint64_t{3'333'333}, uint64_t{100'000}, kSecond / 4}) {
    Key key(Rate::bucket(100, 1s, 0));
    uint64_t offered = 0;
    uint64_t admitted = 0;
    for (uint64_t at = 0; at < 60 * kSecond; at += gap, ++offered) admitted += key.ask(kStart + at) ? 1 : 0;
    const uint64_t most = 100 * 60 + 100;
    EXPECT_LE(admitted, most);
    EXPECT_GE(admitted, std::min(offered, most - 2)) << gap;
  }
}

TEST(Bucket, TellsHowManyAreLeftAndHowLongToWait) {
  Key key(Rate::bucket(10, 1s, 0));
  EXPECT_TRUE(key.ask(kStart));
  EXPECT_EQ(key.last.remaining, 9u);
  EXPECT_EQ(key.burst(kStart, 20), 9);
  EXPECT_EQ(key.last.wait, 100ms);
  EXPECT_FALSE(key.ask(kStart + 99'999'999));
  EXPECT_TRUE(key.ask(kStart + 100'000'000));
}

TEST(Bucket, IsNeverEmptierThanEmptyWhenTheRateHasChanged) {
  Key key(Rate::bucket(1, 24h, 100));
  EXPECT_EQ(key.burst(kStart, 200), 101);
  key.change(Rate::bucket(10, 1s, 0));
  EXPECT_FALSE(key.ask(kStart));
  EXPECT_TRUE(key.ask(kStart + kSecond / 10));
}

TEST(Bucket, AWorkerWhoseClockIsBehindGivesNothingBack) {
  Key key(Rate::bucket(100, 1s, 0));
  EXPECT_EQ(key.burst(kStart, 500), 100);
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(key.ask(kStart - 300'000'000));
    EXPECT_FALSE(key.ask(kStart));
  }
}

TEST(Window, AWorkerWhoseClockIsBehindBeginsNoWindowAnew) {
  Key key(Rate::window(100, 1s));
  const uint64_t boundary = 1000 * kSecond;
  int admitted = 0;
  for (int i = 0; i < 300; ++i) admitted += (key.ask(boundary + 1) ? 1 : 0) + (key.ask(boundary - 1) ? 1 : 0);
  EXPECT_EQ(admitted, 100);
}

TEST(Bucket, SaysItsQuotaAsTimeToFillIt) {
  EXPECT_EQ(Rate::bucket(50, 1s, 100).quota(), 150u);
  EXPECT_EQ(Rate::bucket(50, 1s, 100).quota_time(), 3s);
}

TEST(Window, AdmitsItsCountInAnyWindowThatRequestsComeEvenlyIn) {
  Key key(Rate::window(100, 1s));
  uint64_t admitted = 0;
  for (uint64_t at = 0; at < 60 * kSecond; at += 1'000'000) admitted += key.ask(kStart + at) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(admitted), 6000, 120);
}

TEST(Window, NeverAdmitsMoreThanItsCountInOneOfItsWindows) {
  std::mt19937_64 random(5);
  Key key(Rate::window(20, 1s));
  uint64_t now = kStart;
  uint64_t number = 0;
  int in_window = 0;
  for (int i = 0; i < 100'000; ++i) {
    now += random() % 40'000'000;
    if (now / kSecond != number) {
      number = now / kSecond;
      in_window = 0;
    }
    in_window += key.ask(now) ? 1 : 0;
    ASSERT_LE(in_window, 20);
  }
}

TEST(Window, TellsATimeAfterWhichOneIsAdmittedAndBeforeWhichNoneIs) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 2000; ++round) {
    Key key(Rate::window(1 + random() % 7, 1s));
    uint64_t now = kStart + random() % (3 * kSecond);
    for (int i = 0; i < 30; ++i) {
      if (!key.ask(now)) break;
      now += random() % 200'000'000;
    }
    if (key.ask(now)) continue;
    const auto wait = static_cast<uint64_t>(key.last.wait.count());
    ASSERT_LE(wait, 2 * kSecond);
    if (wait > 10'000'000) {
      ASSERT_FALSE(key.ask(now + wait - 10'000'000));
    }
    ASSERT_TRUE(key.ask(now + wait + 10'000'000)) << round;
  }
}

TEST(Window, KnowsNothingOfWhatIsTwoWindowsAgo) {
  Key key(Rate::window(5, 1s));
  EXPECT_EQ(key.burst(kStart, 10), 5);
  EXPECT_EQ(key.burst(kStart + 2 * kSecond, 10), 5);
}

}   // namespace
}   // namespace proxyd::limits
