#include "tests/unit/shared/cache/cache_fixture.h"

// Who keeps house goes on with what can be done: past a shard whose lock somebody keeps, past what is being read.
namespace proxyd::cache {
namespace {

class TendTest : public CacheTest {
 protected:
  explicit TendTest(uint64_t ceiling = kCeiling) : CacheTest(ceiling) {}

  static std::string key_of(unsigned number) { return "k" + std::to_string(number); }

  void store_some(unsigned count, uint64_t size) {
    for (unsigned i = 0; i < count; ++i) ASSERT_TRUE(store_blank(*first_, key_of(i), size));
  }
  // The memory limit allows the segments that are in use and no more, so that the reserve is what is too much.
  void limit_to_segments_in_use() {
    const Accounts sums = first_->accounts();
    first_->limit_memory(sums.fixed + sums.rows + sums.segments);
  }
  // As long as it says that more is waiting, for so many milliseconds.
  void tend_for(int64_t ms) {
    for (const int64_t until = now_ + ms; now_ < until; ++now_) {
      while (first_->tend(now_)) {
      }
    }
  }
  std::vector<Lookup> read(unsigned begin, unsigned end) {
    std::vector<Lookup> readers;
    for (unsigned i = begin; i < end; ++i) readers.push_back(second_->find(key_of(i), 0, 0));
    return readers;
  }
  void drop(unsigned begin, unsigned end) {
    for (unsigned i = begin; i < end; ++i) ASSERT_TRUE(first_->drop(key_of(i)));
  }

  int64_t now_ = 1;
};

class BusyShardTest : public TendTest, public testing::WithParamInterface<uint32_t> {
 protected:
  // Always the same keys meet in a shard, so that both have too much.
  BusyShardTest() : TendTest(128u << 20) { view_.superblock().key_secret = {2, 1}; }

  uint64_t weight(uint32_t shard) const { return view_.shard(shard).weight.load(); }
};
INSTANTIATE_TEST_SUITE_P(Shards, BusyShardTest, testing::Range(0u, 2u));

// With something dead in each, so that who keeps house has to look into both.
TEST_P(BusyShardTest, StopsNobodyFromEvictingInTheOthers) {
  ASSERT_EQ(view_.geometry().shard_count, 2u);
  store_some(1500, 60'000);
  drop(0, 20);
  for (const uint32_t shard : {0u, 1u}) ASSERT_NE(view_.shard(shard).limbo.load(), 0u);
  limit_to_segments_in_use();
  const uint32_t busy = GetParam();
  const std::array before{weight(0), weight(1)};
  ASSERT_EQ(view_.shard(busy).lock.acquire(), memory::RobustMutex::Outcome::held);
  tend_for(1000);
  EXPECT_LT(weight(1 - busy), before[1 - busy] * 99 / 100);
  EXPECT_GT(weight(1 - busy), before[1 - busy] * 80 / 100) << "for what is too much, no more";
  EXPECT_EQ(weight(busy), before[busy]);
  EXPECT_EQ(first_->accounts().lock_busy, 0u) << "nobody waits for it";
  view_.shard(busy).lock.release();
  tend_for(1000);
  EXPECT_LT(weight(busy), before[busy]);
  expect_sound();
}

// For a moment, as all are now and then: what is dead there is about to be freed, and is not to be evicted for.
TEST_P(BusyShardTest, IsWaitedForOnce) {
  store_some(1500, 60'000);
  drop(0, 20);
  limit_to_segments_in_use();
  ASSERT_EQ(view_.shard(GetParam()).lock.acquire(), memory::RobustMutex::Outcome::held);
  while (first_->tend(now_)) {
  }
  view_.shard(GetParam()).lock.release();
  EXPECT_EQ(first_->accounts().evicted, 0u);
  tend_for(1000);
  EXPECT_GT(first_->accounts().evicted, 0u);
  expect_sound();
}

TEST_F(TendTest, EvictsThoughMoreIsReadThanIsLookedAtInOnePass) {
  constexpr unsigned kRead = 300;
  store_some(800, 60'000);
  const auto readers = read(0, kRead);
  drop(0, kRead);
  tend_for(100);
  ASSERT_EQ(first_->accounts().limbo, kRead);
  limit_to_segments_in_use();
  const uint64_t before = first_->accounts().objects;
  tend_for(1000);
  EXPECT_LT(first_->accounts().objects, before);
  EXPECT_GT(first_->accounts().objects, before * 8 / 10);
}

TEST_F(TendTest, FreesInTurnWhatWasReadBehindWhatIsReadStill) {
  constexpr unsigned kRead = 300;
  store_some(kRead, 60'000);
  auto readers = read(0, kRead);
  drop(0, kRead);
  tend_for(100);
  readers.pop_back();
  tend_for(100);
  EXPECT_EQ(first_->accounts().limbo, kRead - 1);
  EXPECT_EQ(first_->accounts().evicted, 0u);
}

TEST_F(TendTest, LooksAtOnceAtAllThatIsDeadBehindWhatIsRead) {
  constexpr unsigned kRead = 200;
  store_some(kRead + 10, 600);
  const auto readers = read(0, kRead);
  drop(0, kRead + 10);
  while (first_->tend(now_)) {
  }
  EXPECT_EQ(first_->accounts().limbo, kRead);
}

}   // namespace
}   // namespace proxyd::cache
