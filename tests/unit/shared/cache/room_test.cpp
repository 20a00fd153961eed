#include "tests/unit/shared/cache/cache_fixture.h"

// How room is made: by whom it is made, how much at once, and that a limit is reached.
namespace proxyd::cache {
namespace {

std::string key_of(std::string_view kind, unsigned number) { return std::string(kind) + std::to_string(number); }

class RoomTest : public CacheTest {
 protected:
  static constexpr uint64_t kMiB = 1u << 20;

  explicit RoomTest(uint64_t ceiling = kCeiling) : CacheTest(ceiling) {}

  unsigned kept(std::string_view kind, unsigned count) {
    unsigned found = 0;
    for (unsigned i = 0; i < count; ++i) {
      found += second_->find(key_of(kind, i), 0, 0).outcome == Lookup::Outcome::found;
    }
    return found;
  }
  void ask_for(std::string_view key, unsigned times = 20) {
    for (unsigned i = 0; i < times; ++i) first_->find(key, 0, 0);
  }
  void tend_until(int64_t from, int64_t to) {
    for (int64_t now = from; now < to; now += 6) first_->tend(now);
  }
};

TEST_F(RoomTest, RoomForTheSmallDoesNotCostAllThatIsLarge) {
  constexpr unsigned kLarge = 40;
  for (unsigned i = 0; i < kLarge; ++i) {
    ask_for(key_of("large", i));
    ASSERT_TRUE(store_blank(*first_, key_of("large", i), kMiB)) << i;
  }
  unsigned before = kept("large", kLarge);
  ASSERT_EQ(before, kLarge);
  std::vector<FillLock> open;   // take the rest, a segment for each class
  unsigned worst = 0;
  for (unsigned i = 0; i < 400; ++i) {
    const std::string key = key_of("small", i);
    ask_for(key, 3);
    FillLock lock = first_->begin_fill(key, 0, 0);
    if (lock.outcome != FillLock::Outcome::filler) continue;
    if (lock.filler.set_head(Head{.length = 500 + i * 331}) == Written::ok) {
      for (uint64_t left = 500 + i * 331; left != 0;) {
        const size_t part = std::min<uint64_t>(lock.filler.reserve().size(), left);
        if (part == 0) break;
        lock.filler.commit(part);
        left -= part;
      }
      if (i % 2 == 0) {
        open.push_back(std::move(lock));
      } else {
        lock.filler.complete();
      }
    }
    const unsigned now = kept("large", kLarge);
    worst = std::max(worst, before - now);
    before = now;
  }
  EXPECT_LE(worst, 6u) << "at once";
  open.clear();
  expect_sound();
}

TEST_F(RoomTest, ManyEvictionsAreDoneInPartsWhenTheLimitHasSunk) {
  constexpr unsigned kCount = 3000;
  for (unsigned i = 0; i < kCount; ++i) ASSERT_TRUE(store(*first_, key_of("k", i), text_of(16'000)));
  for (unsigned i = 0; i < 8; ++i) first_->drop(key_of("k", i));
  tend_until(1, 300);
  first_->limit_memory(8 * kMiB);
  const uint64_t evicted = first_->accounts().evicted;
  ask_for("new");
  ASSERT_TRUE(store(*first_, "new", text_of(16'000)));
  EXPECT_LE(first_->accounts().evicted - evicted, 64u);
  EXPECT_EQ(first_->find("new", 0, 0).outcome, Lookup::Outcome::found);
  tend_until(1000, 8000);
  EXPECT_LE(first_->accounts().segments, 8 * kMiB);
  expect_sound();
}

// However much is dead and read: what was evicted is tried before more is.
class LimboTest : public RoomTest, public testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Read, LimboTest, testing::Values(0u, 2000u));

TEST_P(LimboTest, NothingIsEvictedAgainForWhatIsEvictedAndNotYetFreed) {
  std::vector<StoredResponse> read;
  for (unsigned i = 0; i < GetParam(); ++i) {
    ASSERT_TRUE(store(*first_, key_of("dead", i), "x"));
    read.push_back(std::move(second_->find(key_of("dead", i), 0, 0).response));
    ASSERT_TRUE(read.back());
    ASSERT_TRUE(first_->drop(key_of("dead", i)));
  }
  for (unsigned i = 0; i < 1000; ++i) store_blank(*first_, key_of("k", i), 60'000);
  tend_until(1, 1000);
  ASSERT_GT(first_->accounts().refused, 0u) << "it is full";
  std::vector<FillLock> fills;   // take what some must leave for
  for (unsigned i = 0; i < 60; ++i) {
    fills.push_back(first_->begin_fill(key_of("fill", i), 0, 0));
    ASSERT_EQ(fills.back().outcome, FillLock::Outcome::filler);
    ASSERT_EQ(fills.back().filler.set_head(Head{.length = 60'000}), Written::ok);
    ASSERT_FALSE(fills.back().filler.reserve().empty());
  }
  tend_until(1000, 3000);
  ContentPool pool(first_->member());
  const Capacity capacity(first_->member(), pool);
  ASSERT_EQ(view_.geometry().shard_count, 1u);
  EXPECT_LE(capacity.kept(), capacity.of(0));
  EXPECT_GT(capacity.kept() + kMiB, capacity.of(0));
  fills.clear();
  read.clear();
  expect_sound();
}

class SmallRoomTest : public RoomTest {
 protected:
  SmallRoomTest() : RoomTest(8 * kMiB) {}
};

TEST_F(SmallRoomTest, WhereRowsRunOutTheLeastWantedLeave) {
  const uint32_t rows = view_.object_count();
  constexpr unsigned kWanted = 64;
  for (unsigned i = 0; i < kWanted; ++i) ASSERT_TRUE(store(*first_, key_of("wanted", i), "x"));
  for (unsigned i = 0; i < kWanted; ++i) ask_for(key_of("wanted", i));
  unsigned failed = 0;
  for (unsigned i = 0; i < rows + 3000; ++i) {
    failed += first_->begin_fill(key_of("k", i), 0, 0).outcome != FillLock::Outcome::filler;
    store(*first_, key_of("k", i), "x");
    if (i % 16 == 0) {
      for (unsigned n = 0; n < kWanted; n += 8) first_->find(key_of("wanted", (i / 16 + n) % kWanted), 0, 0);
    }
  }
  EXPECT_EQ(failed, 0u);
  EXPECT_EQ(first_->accounts().emptied_segments, 0u);
  EXPECT_EQ(kept("wanted", kWanted), kWanted);
  EXPECT_GT(first_->accounts().objects, rows - 600);
  expect_sound();
}

TEST_F(RoomTest, ALimitThatSinksIsReachedWhereAllIsInWholeSegments) {
  for (unsigned i = 0; i < 4; ++i) {
    ask_for(key_of("whole", i));
    ASSERT_TRUE(store_blank(*first_, key_of("whole", i), 10 * kMiB)) << i;
  }
  first_->limit_memory(24 * kMiB);
  tend_until(1, 3000);
  EXPECT_LE(first_->accounts().segments, 24 * kMiB);
  EXPECT_GE(kept("whole", 4), 1u) << "and not all had to go";
  expect_sound();
}

TEST_F(RoomTest, WhatIsLargeMustBeWantedMoreThanWhatWouldLeaveForIt) {
  for (unsigned i = 0; i < 5; ++i) {
    ask_for(key_of("kept", i), 6);
    ASSERT_TRUE(store_blank(*first_, key_of("kept", i), 10 * kMiB)) << i;
  }
  for (unsigned i = 0; i < 20; ++i) {
    ask_for(key_of("passing", i), 2);
    store_blank(*first_, key_of("passing", i), 10 * kMiB);
    tend_until(i * 100, i * 100 + 100);
  }
  EXPECT_EQ(kept("kept", 5), 5u);
  EXPECT_EQ(kept("passing", 20), 0u);
  ask_for("other");
  EXPECT_TRUE(store_blank(*first_, "other", 10 * kMiB)) << "and this one is";
  EXPECT_EQ(first_->find("other", 0, 0).outcome, Lookup::Outcome::found);
  EXPECT_EQ(kept("kept", 5), 4u);
  expect_sound();
}

class LargeRoomTest : public RoomTest {
 protected:
  static constexpr uint64_t kGiB = 1u << 30;
  LargeRoomTest() : RoomTest(kGiB) {}
};

TEST_F(LargeRoomTest, ALimitThatSinksIsReachedHoweverManySegmentsThereAre) {
  std::vector<StoredResponse> read;   // what takes the first 272 segments is dead, but read
  for (unsigned i = 0; i < 17; ++i) {
    ASSERT_TRUE(store_blank(*first_, key_of("large", i), 32 * kMiB));
    read.push_back(std::move(second_->find(key_of("large", i), 0, 0).response));
    ASSERT_TRUE(read.back());
  }
  for (unsigned i = 0; i < 17; ++i) ASSERT_TRUE(first_->drop(key_of("large", i)));
  for (unsigned i = 0; i < 40 * 128; ++i) {   // each is a block, and 40 segments are full
    ASSERT_TRUE(store_blank(*first_, key_of("small", i), 15'000));
  }
  const Accounts before = first_->accounts();
  const uint64_t limit = before.segments + before.fixed + before.rows - 40 * kMiB;
  first_->limit_memory(limit);
  tend_until(1, 3000);
  const Accounts after = first_->accounts();
  EXPECT_LE(after.segments + after.fixed + after.rows, limit);
  read.clear();
  tend_until(3000, 4000);
  expect_sound();
}

}   // namespace
}   // namespace proxyd::cache
