#include "tests/unit/shared/cache/cache_fixture.h"

// Somebody holds a lock and does not go on: who keeps house waits for none, who wants something waits for one at most,
// and what is put off is done later. `lock_busy` counts those who waited in vain.
namespace proxyd::cache {
namespace {

using Locked = std::vector<memory::RobustMutex*>;

class BusyLocksTest : public CacheTest {
 protected:
  Locked hold(Locked locks) {
    for (memory::RobustMutex* lock : locks) EXPECT_EQ(lock->acquire(), memory::RobustMutex::Outcome::held);
    return locks;
  }
  static void let_go(const Locked& locks) {
    for (memory::RobustMutex* lock : locks) lock->release();
  }
  Locked classes() {
    Locked locks;
    for (SizeClass& one : view_.superblock().classes) locks.push_back(&one.lock);
    return locks;
  }
  Locked shards() {
    Locked locks;
    for (uint32_t i = 0; i < view_.geometry().shard_count; ++i) locks.push_back(&view_.shard(i).lock);
    return locks;
  }
  void store_some(unsigned count = 200) {
    for (unsigned i = 0; i < count; ++i) ASSERT_TRUE(store(*first_, key_of(i), text_of(100 + 1111 * i)));
  }
  void drop_some(unsigned count = 200) {
    for (unsigned i = 0; i < count; ++i) ASSERT_TRUE(first_->drop(key_of(i)));
  }
  static std::string key_of(unsigned number) { return "k" + std::to_string(number); }
  void tend_until(int64_t from, int64_t to) {
    for (int64_t now = from; now < to; now += 6) first_->tend(now);
  }
};

TEST_F(BusyLocksTest, WhatIsDeadIsFreedWhenTheClassesAreFree) {
  store_some();
  drop_some();
  const Locked held = hold(classes());
  tend_until(1, 100);
  EXPECT_EQ(first_->accounts().lock_busy, 0u);
  EXPECT_GT(first_->accounts().used, 0u);
  let_go(held);
  tend_until(100, 300);
  EXPECT_EQ(first_->accounts().used, 0u);
  expect_sound();
}

TEST_F(BusyLocksTest, WhatIsDeadIsFreedWhenTheShardsAreFree) {
  store_some();
  drop_some();
  const Locked held = hold(shards());
  tend_until(1, 100);
  EXPECT_EQ(first_->accounts().lock_busy, 0u);
  let_go(held);
  tend_until(100, 300);
  EXPECT_EQ(first_->accounts().used, 0u);
  expect_sound();
}

TEST_F(BusyLocksTest, ALimitThatSinksIsReachedWhenTheLocksAreFree) {
  for (unsigned i = 0; i < 500; ++i) ASSERT_TRUE(store(*first_, key_of(i), text_of(60'000)));
  first_->limit_memory(16u << 20);
  for (const Locked& locks : {shards(), classes(), Locked{&view_.superblock().pool.lock}}) {
    const Locked held = hold(locks);
    tend_until(1, 300);
    EXPECT_EQ(first_->accounts().lock_busy, 0u);
    let_go(held);
  }
  tend_until(300, 3000);
  EXPECT_LE(first_->accounts().segments, 16u << 20);
  expect_sound();
}

// However many there are: the row where it meets the lock may be the first.
class SweepsTest : public BusyLocksTest, public testing::WithParamInterface<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Objects, SweepsTest, testing::Range(1u, 26u));

TEST_P(SweepsTest, ASweepThatMeetsABusyShardGoesOnThere) {
  const uint32_t tag = first_->stamps().stamp_of(StampKind::tag, "t");
  for (unsigned i = 0; i < GetParam(); ++i) ASSERT_TRUE(store(*first_, key_of(i), "x", std::span(&tag, 1)));
  tend_until(1, 300);
  ASSERT_TRUE(first_->stamps().purge(std::span(&tag, 1), PurgeMode::hard));
  const Locked held = hold(shards());
  tend_until(300, 1000);
  EXPECT_EQ(first_->accounts().lock_busy, 0u);
  let_go(held);
  tend_until(1000, 2000);
  EXPECT_EQ(first_->accounts().objects, 0u);
  expect_sound();
}

// Below a lock that is held nobody waits, and what could not be had for that is not made room for.
TEST_F(BusyLocksTest, NothingIsEvictedForABusyLock) {
  store_some(100);
  ASSERT_TRUE(first_->accounts().objects == 100);
  const Locked held = hold(classes());
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(first_->begin_fill("new " + std::to_string(i), 0, 0).outcome, FillLock::Outcome::busy);
  }
  let_go(held);
  EXPECT_EQ(first_->accounts().lock_busy, 0u);
  EXPECT_EQ(first_->accounts().objects, 100u);
  EXPECT_EQ(first_->accounts().evicted, 0u);
  EXPECT_EQ(first_->begin_fill("new", 0, 0).outcome, FillLock::Outcome::filler);
  expect_sound();
}

TEST_F(BusyLocksTest, NothingIsEvictedWhereWhatIsDeadCannotBeFreed) {
  store_some(100);
  const Accounts full = first_->accounts();
  first_->limit_memory(full.fixed + full.rows + full.segments);   // no segment is left
  drop_some(20);
  const std::string section(40'000, 'x');
  Locked others = classes();
  others.erase(others.begin() + ContentPool::class_for(section.size() + 200));   // the one that is asked for is free
  const Locked held = hold(others);
  first_->tend(6);   // notes what it can't free
  Written written = Written::ok;
  for (unsigned i = 20; i < 100 && written == Written::ok; ++i)   // until all blocks of the class are taken
    written = first_->freshen(first_->find(key_of(i), 0, 0).response, Head{.section = section}, 0);
  EXPECT_EQ(written, Written::busy);
  let_go(held);
  EXPECT_EQ(first_->accounts().objects, 80u);
  EXPECT_EQ(first_->accounts().evicted, 0u);
  expect_sound();
}

TEST_F(BusyLocksTest, AFillThatFindsNoBlockForABusyLockWaitsOnce) {
  FillLock lock = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(lock.filler.set_head(Head{.length = 1'000'000}), Written::ok);
  store_some(20);
  const Locked held = hold(classes());
  EXPECT_TRUE(lock.filler.reserve().empty());
  EXPECT_TRUE(lock.filler.hindered());
  EXPECT_EQ(first_->accounts().no_room, 0u);
  let_go(held);
  EXPECT_LE(first_->accounts().lock_busy, 1u);
  EXPECT_EQ(first_->accounts().objects, 21u);
  EXPECT_FALSE(lock.filler.reserve().empty());
  EXPECT_FALSE(lock.filler.hindered());
  lock = {};
  expect_sound();
}

// Each would cost the loop 20 ms.
TEST_F(BusyLocksTest, ManyWhoWantOneLockDoNotEachWaitForIt) {
  const Locked held = hold(shards());
  constexpr unsigned kMany = 50;
  for (unsigned i = 0; i < kMany; ++i) EXPECT_EQ(first_->begin_fill("k", 0, 0).outcome, FillLock::Outcome::busy);
  EXPECT_GE(first_->accounts().lock_busy, 1u);
  EXPECT_LT(first_->accounts().lock_busy, kMany / 2);
  let_go(held);
  EXPECT_EQ(first_->begin_fill("k", 0, 0).outcome, FillLock::Outcome::filler);
  expect_sound();
}

TEST_F(BusyLocksTest, AHeadThatFindsNoBlockForABusyLockCanBeSetLater) {
  FillLock lock = first_->begin_fill("k", 0, 0);
  const Locked held = hold(classes());
  EXPECT_EQ(lock.filler.set_head(Head{.length = 1}), Written::busy);
  let_go(held);
  EXPECT_EQ(lock.filler.set_head(Head{.length = 1}), Written::ok);
  lock = {};
  expect_sound();
}

// Who can't write now keeps nobody waiting: they ask for themselves, and after that time the next may fill.
TEST_F(BusyLocksTest, AFillWhoseHeadFindsNoBlockEndsAsAPassOfASecond) {
  FillLock lock = first_->begin_fill("k", 0, 0);
  const FillLock follower = second_->begin_fill("k", 0, 0);
  ASSERT_EQ(follower.outcome, FillLock::Outcome::follow);
  const Locked held = hold(classes());
  ASSERT_EQ(lock.filler.set_head(Head{.length = 1}), Written::busy);
  lock.filler.not_cacheable(1000);
  EXPECT_EQ(follower.response.progress().state, State::pass);
  EXPECT_EQ(second_->find("k", 0, 999).outcome, Lookup::Outcome::pass);
  EXPECT_EQ(second_->begin_fill("k", 0, 999).outcome, FillLock::Outcome::pass);
  let_go(held);
  EXPECT_EQ(second_->find("k", 0, 1000).outcome, Lookup::Outcome::miss);
  EXPECT_EQ(second_->begin_fill("k", 0, 1000).outcome, FillLock::Outcome::filler);
}

TEST_F(BusyLocksTest, OldHeadsAreFreedWhenTheirClassIsFree) {
  store_some(64);
  for (unsigned i = 0; i < 64; ++i) {
    const Lookup stale = second_->find(key_of(i), 0, 0);
    ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = "new"}, 0), Written::ok);
  }
  const Locked held = hold(classes());
  tend_until(1, 100);
  EXPECT_EQ(first_->accounts().lock_busy, 0u);
  let_go(held);
  expect_sound();
}

}   // namespace
}   // namespace proxyd::cache
