#include "master/cache_keeper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace proxyd::master {
namespace {

using cache::FillLock;

constexpr uint64_t kCeiling = 64 << 20;
constexpr uint32_t kSlot = 5;

// The system's own count of the pages that the region has.
uint64_t given(const CacheKeeper& keeper) {
  struct stat status{};
  ::fstat(keeper.descriptor(), &status);
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

// The keeper, and a worker's way into the same region.
class CacheKeeperTest : public testing::Test {
 protected:
  CacheKeeperTest()
      : keeper_(std::move(*CacheKeeper::create(kCeiling))),
        region_(
            std::move(*cache::adopt_region(UniqueFd(::fcntl(keeper_->descriptor(), F_DUPFD_CLOEXEC, 3)), kCeiling))),
        view_(cache::view_of(region_)),
        worker_(std::make_unique<cache::Cache>(view_, kSlot, 7)) {}

  bool store(std::string_view key, std::string_view content) {
    FillLock lock = worker_->begin_fill(key, worker_->published(), 0);
    if (lock.outcome != FillLock::Outcome::filler) return false;
    cache::Head head;
    head.length = content.size();
    return lock.filler.set_head(head) == cache::Written::ok && lock.filler.append(content) == content.size() &&
           lock.filler.complete();
  }
  bool holds(std::string_view key) {
    return worker_->find(key, worker_->published(), 0).outcome == cache::Lookup::Outcome::found;
  }

  std::unique_ptr<CacheKeeper> keeper_;
  memory::Region region_;
  cache::RegionView view_;
  std::unique_ptr<cache::Cache> worker_;
};

TEST_F(CacheKeeperTest, TakesWhatTheDocumentSaysOrTheDefaultTheCeilingAtMost) {
  const auto large = CacheKeeper::create(uint64_t{2} << 30);
  ASSERT_TRUE(large);
  EXPECT_EQ((*large)->memory_of({}), config::kDefaultCacheMemory);
  EXPECT_EQ((*large)->accounts().memory_limit, config::kDefaultCacheMemory);
  EXPECT_EQ((*large)->memory_of({.memory = 1 << 30}), 1u << 30);
  EXPECT_EQ(keeper_->memory_of({}), kCeiling);
  EXPECT_EQ(keeper_->memory_of({.memory = 1 << 30}), kCeiling);
  EXPECT_EQ(keeper_->memory_of({.memory = 8 << 20}), 8u << 20);
}

TEST_F(CacheKeeperTest, ACeilingThatCannotBeIsRefused) {
  EXPECT_FALSE(CacheKeeper::create((8 << 20) - 1));
  EXPECT_FALSE(CacheKeeper::create((uint64_t{1} << 40) + 1));
}

TEST_F(CacheKeeperTest, WhatADeadWorkerStoredStaysAndWhatItHeldIsCleared) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool stored = store("kept", "content");
    const FillLock half = worker_->begin_fill("half", 0, 0);
    const cache::Lookup pinned = worker_->find("kept", 0, 0);
    ::_exit(stored && half.outcome == FillLock::Outcome::filler && pinned.response ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(view_.alive(cache::Holder{7, kSlot}.word()));
  EXPECT_NE(view_.pins_used(kSlot).load(), 0u);
  keeper_->worker_died(kSlot);
  EXPECT_TRUE(keeper_->is_clear(kSlot));
  EXPECT_FALSE(view_.alive(cache::Holder{7, kSlot}.word()));
  EXPECT_EQ(view_.pins_used(kSlot).load(), 0u);
  worker_ = std::make_unique<cache::Cache>(view_, kSlot, 8);
  EXPECT_TRUE(holds("kept"));
  EXPECT_FALSE(holds("half"));
}

TEST_F(CacheKeeperTest, ASlotIsNotClearWhileALockIsBusy) {
  memory::RobustMutex& lock = view_.shard(0).lock;
  ASSERT_EQ(lock.acquire(), memory::RobustMutex::Outcome::held);
  keeper_->worker_died(kSlot);
  EXPECT_FALSE(keeper_->is_clear(kSlot));
  EXPECT_TRUE(keeper_->is_clear(kSlot + 1));
  EXPECT_TRUE(keeper_->turn()) << "more is waiting";
  EXPECT_FALSE(keeper_->is_clear(kSlot));
  lock.release();
  keeper_->turn();
  EXPECT_TRUE(keeper_->is_clear(kSlot));
}

TEST_F(CacheKeeperTest, ALimitThatSinksIsReachedByTurns) {
  const std::string content(256 << 10, 'x');
  for (int i = 0; i < 128; ++i) ASSERT_TRUE(store(fmt::format("key {}", i), content));
  const uint64_t before = keeper_->accounts().segments;
  ASSERT_GT(before, 24u << 20);
  keeper_->limit_memory(16 << 20);
  const Deadline end = Deadline::at(Clock::now() + milliseconds(20'000));
  while (keeper_->turn()) ASSERT_FALSE(end.passed(Clock::now()));
  EXPECT_LE(keeper_->accounts().segments, 16u << 20);
  keeper_->limit_memory(kCeiling);
  EXPECT_FALSE(keeper_->turn());
}

TEST_F(CacheKeeperTest, ALimitThatSinksCostsNothingWhereNothingIsStored) {
  const auto vast = std::move(*CacheKeeper::create(uint64_t{1} << 40));
  vast->limit_memory(uint64_t{1} << 40);
  vast->turn();
  const uint64_t before = given(*vast);
  vast->limit_memory(16 << 20);
  while (vast->turn()) {
  }
  EXPECT_LE(given(*vast), before + (64 << 10)) << "what was never used is not even looked at";
}

TEST_F(CacheKeeperTest, WhatTheSystemGivesStaysNearTheLimitHoweverMuchComesAndGoes) {
  keeper_->limit_memory(16 << 20);
  const std::string content(1 << 20, 'x');
  for (int i = 0; i < 400; ++i) {
    const std::string key = fmt::format("key {}", i);
    for (int tries = 0; tries < 3 && !store(key, content); ++tries) worker_->tend(10 * i);
    worker_->tend(10 * i + 5);
  }
  EXPECT_LE(given(*keeper_), (16u << 20) + (4u << 20)) << "400 MiB went through";
  EXPECT_GT(keeper_->accounts().objects, 0u);
}

TEST_F(CacheKeeperTest, EveryWorkerSlotHasADescriptorToBeWokenBy) {
  for (const int wake : keeper_->wakes()) EXPECT_NE(::fcntl(wake, F_GETFL) & O_NONBLOCK, 0);
}

}   // namespace
}   // namespace proxyd::master
