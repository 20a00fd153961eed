#include "shared/cache/capacity.h"

#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

// Two shards, nothing in them but what a test says.
class CapacityTest : public CacheTest {
 protected:
  static constexpr uint64_t kMiB = 1u << 20;

  CapacityTest() : CacheTest(128 * kMiB) {}

  void says(uint32_t shard, uint64_t weight, uint64_t large = 0) {
    view_.shard(shard).weight.store(weight);
    view_.shard(shard).large.store(large);
  }

  ContentPool pool_{first_->member()};
  Capacity capacity_{first_->member(), pool_};
};

TEST_F(CapacityTest, IsAnEqualPartForEachShardAndLeavesAReserve) {
  EXPECT_EQ(capacity_.of(0), capacity_.of(1));
  EXPECT_LT(2 * capacity_.of(0), 128 * kMiB * 15 / 16);
  EXPECT_GT(2 * capacity_.of(0), 128 * kMiB * 13 / 16);
  first_->limit_memory(64 * kMiB);
  EXPECT_LT(2 * capacity_.of(0), 64 * kMiB);
}

TEST_F(CapacityTest, WhatIsLargeInOneShardIsPaidForByAll) {
  const uint64_t before = capacity_.of(0);
  says(0, 40 * kMiB, 40 * kMiB);
  EXPECT_EQ(capacity_.of(0), before + 20 * kMiB);
  EXPECT_EQ(capacity_.of(1), before - 20 * kMiB);
}

TEST_F(CapacityTest, OfMoreThatIsLargeThanFitsEachShardKeepsItsShare) {
  const uint64_t both = 2 * capacity_.of(0);
  says(0, 300 * kMiB, 300 * kMiB);
  says(1, 100 * kMiB, 100 * kMiB);
  EXPECT_NEAR(static_cast<double>(capacity_.of(0)), static_cast<double>(both) * 3 / 4, 2);
  EXPECT_NEAR(static_cast<double>(capacity_.of(1)), static_cast<double>(both) / 4, 2);
}

TEST_F(CapacityTest, ANewcomerThatIsLargeHasRoomForItself) {
  const uint64_t large = capacity_.large_limit() / 2 * 2 + 2;
  EXPECT_EQ(capacity_.with(0, large, 0), capacity_.of(0) + large / 2);
  EXPECT_EQ(capacity_.with(0, 500 * kMiB, 0), 500 * kMiB);
  EXPECT_EQ(capacity_.with(0, capacity_.large_limit(), 0), capacity_.of(0)) << "which is not large";
}

TEST_F(CapacityTest, TheFullestIsWhoseExcessIsLargest) {
  EXPECT_FALSE(capacity_.fullest({}));
  says(0, 80 * kMiB);
  says(1, 90 * kMiB);
  EXPECT_EQ(capacity_.fullest({}), 1u);
  EXPECT_EQ(capacity_.fullest(0b10), 0u);
  EXPECT_FALSE(capacity_.fullest(0b11));
  says(1, 90 * kMiB, 60 * kMiB);
  EXPECT_EQ(capacity_.fullest({}), 0u) << "what is large has its own room";
}

TEST_F(CapacityTest, IsCrowdedByWhatTheEvictionDoesNotKnow) {
  EXPECT_FALSE(capacity_.is_crowded());
  view_.superblock().pool.whole.store(static_cast<uint32_t>(60 * kMiB / view_.geometry().segment_size));
  EXPECT_TRUE(capacity_.is_crowded());
  says(0, 50 * kMiB);
  EXPECT_FALSE(capacity_.is_crowded());
}

}   // namespace
}   // namespace proxyd::cache
