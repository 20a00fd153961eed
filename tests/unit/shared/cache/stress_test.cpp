#include <thread>

#include "tests/support/cache_load.h"
#include "tests/support/purge_load.h"
#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

// As when a worker has ended: what it could not free because a lock was busy is left to others. It pins nothing.
void clear_after(const RegionView& view, Cache& master, uint32_t workers) {
  for (uint32_t slot = 0; slot < workers; ++slot) {
    for (uint32_t i = 0; i < view.pins_used(slot).load(); ++i) EXPECT_EQ(view.slot(slot).pins[i].load(), 0u) << slot;
    EXPECT_TRUE(master.worker_died(slot));
  }
}

// What a sanitizer for threads can see: every worker is a thread with a mapping of its own ways.
TEST(Stress, WorkersAsThreadsReadWhatWasStoredAndNoPurgeIsOutrun) {
  constexpr uint32_t kThreads = 4;
  auto region = std::move(create_region(256u << 20)).value();   // of several shards
  const RegionView view = view_of(region);
  Cache master(view, kWorkerSlots, 1);
  master.limit_memory(32u << 20);
  const auto board = std::make_unique<Board>();
  std::vector<std::thread> workers;
  for (uint32_t slot = 0; slot < kThreads; ++slot) {
    workers.emplace_back([&, slot] { Load(view, *board, slot, 1, slot + 1).run(); });
  }
  const auto sum = [&](std::atomic<uint64_t> Counts::* what) {
    uint64_t total = 0;
    for (const Counts& one : board->counts) total += (one.*what).load();
    return total;
  };
  while (sum(&Counts::requests) < 4000) ::usleep(10'000);
  board->stop.store(true);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(sum(&Counts::wrong_octets), 0u);
  EXPECT_EQ(sum(&Counts::outrun), 0u);
  EXPECT_GT(sum(&Counts::hits), 300u);
  clear_after(view, master, kThreads);
  for (int64_t now = now_ms(), until = now + 20'000; now < until; now += 6) master.tend(now);
  for (const std::string& fault : faults_of(view)) ADD_FAILURE() << fault;
}

// As processes that die: the campaign cache_purges.
TEST(Stress, WorkersAsThreadsThatPurgeTheSameDocumentsOutrunNone) {
  constexpr uint32_t kThreads = 4;
  auto region = std::move(create_region(64u << 20)).value();
  const RegionView view = view_of(region);
  Cache master(view, kWorkerSlots, 1);
  const auto board = std::make_unique<PurgeBoard>();
  std::vector<std::thread> workers;
  for (uint32_t slot = 0; slot < kThreads; ++slot) {
    workers.emplace_back([&, slot] { PurgeLoad(view, *board, slot, 1, false).run(); });
  }
  while (board->sum(&PurgeCounts::purges) < 500) ::usleep(10'000);
  board->stop.store(true);
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(board->sum(&PurgeCounts::outrun_hard), 0u);
  EXPECT_EQ(board->sum(&PurgeCounts::outrun_soft), 0u);
  EXPECT_EQ(board->sum(&PurgeCounts::wrong), 0u);
  EXPECT_GT(board->sum(&PurgeCounts::fresh), 300u);
  clear_after(view, master, kThreads);
  for (const std::string& fault : faults_of(view)) ADD_FAILURE() << fault;
}

}   // namespace
}   // namespace proxyd::cache
