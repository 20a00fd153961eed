// A process ends at each step of each change of the eviction's queues: what is noted is enough to end the change.
#ifdef PROXYD_TEST_HOOKS

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "shard.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr uint32_t kRows = 24;
constexpr uint64_t kCapacity = 600;
constexpr uint32_t kRequests = 200;
using Rows = std::vector<uint32_t>;

struct Death {};
uint32_t steps_left = 0;   // 0: none is counted

void count_down(const char*) {
  if (steps_left != 0 && --steps_left == 0) throw Death();
}

class EvictionRecoverTest : public testing::Test {
 protected:
  EvictionRecoverTest() { at_step = count_down; }
  ~EvictionRecoverTest() override { at_step = nullptr; }

  static Rows rows_of(const Shard& shard) {
    Rows rows = shard.in(Place::small);
    const Rows main = shard.in(Place::main);
    rows.insert(rows.end(), main.begin(), main.end());
    std::ranges::sort(rows);
    return rows;
  }
  // Whether it died before it came to its end.
  static bool dies(const std::function<void()>& change, uint32_t at) {
    steps_left = at;
    try {
      change();
    } catch (const Death&) {
      return true;
    }
    steps_left = 0;
    return false;
  }

  // Dies at each step of `change`, and in the recovery at each of its steps. Rows but `touched` stay where they were.
  static void die_everywhere(uint64_t seed, const std::function<void(Eviction&)>& change, const Rows& touched = {}) {
    const auto others = [&](Rows rows) {
      std::erase_if(rows, [&](uint32_t row) { return std::ranges::find(touched, row) != touched.end(); });
      return rows;
    };
    bool ended = false;
    for (uint32_t at = 1; !ended; ++at) {
      bool recovered = false;
      for (uint32_t again = 1; !ended && !recovered; ++again) {
        Shard shard(kCapacity, kRows);
        live(shard, seed, kRequests);
        const Rows before = rows_of(shard);
        ended = !dies([&] { change(shard.eviction); }, at);
        recovered = !dies([&] { ASSERT_TRUE(shard.eviction.recover()); }, again);
        if (!recovered) {
          ASSERT_TRUE(shard.eviction.recover());
        }
        ASSERT_EQ(shard.fault(), "") << "seed " << seed << ", step " << at << ", then " << again;
        ASSERT_EQ(others(rows_of(shard)), others(before)) << "seed " << seed << ", step " << at << ", then " << again;
      }
    }
  }
};

TEST_F(EvictionRecoverTest, EndsWhatAnyChangeOfARowHadBegun) {
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    for (uint32_t row = 0; row < kRows; ++row) {
      Shard shard(kCapacity, kRows);
      live(shard, seed, kRequests);
      if (shard.entries[row].place == Place::none) {
        for (const Place place : {Place::small, Place::main})
          die_everywhere(seed, [&](Eviction& of) { of.insert(row, 77, 10, place); }, {row});
        continue;
      }
      die_everywhere(seed, [&](Eviction& of) { of.remove(row); }, {row});
      die_everywhere(seed, [&](Eviction& of) { of.evict(row); }, {row});
      die_everywhere(seed, [&](Eviction& of) { of.weight_changed(row, (1ULL << 40) + 12345); });
    }
  }
}

// Which moves many rows from one queue to the other.
TEST_F(EvictionRecoverTest, EndsWhatAJudgementHadBegun) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    die_everywhere(seed, [](Eviction& of) { of.admit(1000, 50); });
    die_everywhere(seed, [](Eviction& of) { of.victim(); });
  }
}

TEST_F(EvictionRecoverTest, LooksAtEveryRowOnlyWhenWhatIsNotedMakesNoSense) {
  Shard shard(kCapacity, kRows);
  live(shard, 1, kRequests);
  shard.state.journal.note({.kind = QueueChange::Kind::unlink, .place = Place::small, .index = kRows});
  EXPECT_FALSE(shard.eviction.recover());
  shard.eviction.rebuild();
  EXPECT_EQ(shard.fault(), "");
  EXPECT_TRUE(shard.eviction.recover());
}

}   // namespace
}   // namespace proxyd::cache

#endif
