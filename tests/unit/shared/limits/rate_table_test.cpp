#include "shared/limits/rate_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace proxyd::limits {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kNow = 1'000'000'000'000;

class Table : public testing::Test {
 protected:
  Table() : sets_(std::make_unique<RateSet[]>(kRateSets)), table_(sets_.get()) {}

  // The n-th key of the set that key 1 is in.
  static uint64_t in_one_set(uint64_t n) { return n * kRateSets + 1; }
  uint64_t admitted(uint64_t key, const Rate& rate, int tries, uint64_t now = kNow) {
    uint64_t count = 0;
    for (int i = 0; i < tries; ++i) count += table_.charge(key, rate, now).admitted ? 1 : 0;
    return count;
  }

  std::unique_ptr<RateSet[]> sets_;
  RateTable table_;
};

TEST_F(Table, CountsEachKeyApart) {
  const Rate rate = Rate::bucket(10, 1s, 0);
  EXPECT_EQ(admitted(1, rate, 20), 10u);
  EXPECT_EQ(admitted(2, rate, 20), 10u);
  EXPECT_EQ(admitted(in_one_set(1), rate, 20), 10u);
  EXPECT_EQ(admitted(1, rate, 20), 0u);
}

TEST_F(Table, LookingTakesNothing) {
  const Rate rate = Rate::bucket(1, 1s, 0);
  EXPECT_TRUE(table_.look(7, rate, kNow).admitted);
  EXPECT_TRUE(table_.charge(7, rate, kNow).admitted);
  EXPECT_FALSE(table_.look(7, rate, kNow).admitted);
}

TEST_F(Table, GivesUpTheKeyWhoseCountTellsNothingSoonest) {
  const Rate slow = Rate::bucket(10, 60min, 0);
  const Rate quick = Rate::bucket(10, 1s, 0);
  for (uint64_t n = 0; n + 1 < kRateWays; ++n) EXPECT_EQ(admitted(in_one_set(n), slow, 20), 10u);
  for (uint64_t n = 100; n < 1100; ++n) EXPECT_EQ(admitted(in_one_set(n), quick, 1), 1u);
  for (uint64_t n = 0; n + 1 < kRateWays; ++n) EXPECT_EQ(admitted(in_one_set(n), slow, 20), 0u) << n;
}

TEST_F(Table, IsExactHoweverManyChangeOneKeyAtOnce) {
  const Rate rate = Rate::bucket(Rate::kMostCount, 24h, 0);
  std::vector<std::thread> threads;
  std::atomic<uint64_t> sum = 0;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { sum += admitted(3, rate, 20'000); });
  for (std::thread& thread : threads) thread.join();
  const Rate::Charge left = table_.look(3, rate, kNow);
  EXPECT_EQ(sum, 80'000u);
  EXPECT_EQ(left.remaining, Rate::kMostCount - 80'000 - 1);
}

// Short-lived keys are given each other's cells all the time; those of the long-lived ones stay exact.
TEST_F(Table, IsExactWhileOtherKeysComeAndGoInTheSameCells) {
  const Rate lasting = Rate::bucket(Rate::kMostCount, 24h, 0);
  const Rate fleeting = Rate::bucket(1000, 1s, 0);
  EXPECT_EQ(admitted(in_one_set(1), lasting, 1) + admitted(in_one_set(2), lasting, 1), 2u);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 2; ++i) {
    threads.emplace_back([this, i, fleeting] {
      for (uint64_t n = 0; n < 50'000; ++n) (void)table_.charge(in_one_set(1000 + 2 * n + i), fleeting, kNow);
    });
    threads.emplace_back([this, i, lasting] { EXPECT_EQ(admitted(in_one_set(1 + i), lasting, 20'000), 20'000u); });
  }
  for (std::thread& thread : threads) thread.join();
  for (uint64_t n = 1; n <= 2; ++n)
    EXPECT_EQ(table_.look(in_one_set(n), lasting, kNow).remaining, Rate::kMostCount - 20'001 - 1);
}

}   // namespace
}   // namespace proxyd::limits
