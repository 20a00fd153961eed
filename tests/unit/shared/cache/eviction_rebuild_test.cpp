#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <random>

#include "shard.h"

namespace proxyd::cache {
namespace {

constexpr uint32_t kRows = 24;
constexpr uint64_t kCapacity = 600;
constexpr uint32_t kRequests = 500;
constexpr size_t kState = offsetof(EvictionState, frequency) + sizeof(FrequencyState);   // what follows is padding
constexpr size_t kEntries = kRows * sizeof(EvictionEntry);

// Everything a worker may be changing, in words of four octets.
std::vector<uint32_t> words_of(const Shard& shard) {
  std::vector<uint32_t> words((kState + kEntries) / 4);
  std::memcpy(words.data(), &shard.state, kState);
  std::memcpy(words.data() + kState / 4, shard.entries.data(), kEntries);
  return words;
}

void put(Shard& shard, const std::vector<uint32_t>& words) {
  std::memcpy(static_cast<void*>(&shard.state), words.data(), kState);
  std::memcpy(static_cast<void*>(shard.entries.data()), words.data() + kState / 4, kEntries);
}

std::vector<uint32_t> without(std::vector<uint32_t> list, const std::vector<uint32_t>& gone) {
  std::erase_if(list, [&](uint32_t row) { return std::ranges::find(gone, row) != gone.end(); });
  return list;
}

// Rows whose entry says they are in the queue.
std::vector<uint32_t> said(const Shard& shard, Place place) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < shard.entries.size(); ++row)
    if (shard.entries[row].place == place) rows.push_back(row);
  return rows;
}

// A death may leave any of the words that one change stores stored and the others not. All of them are tried: then the
// rebuilt queues are sound, hold what the entries say, and all that the change was not about is in its order.
void die_everywhere(uint64_t seed, const std::vector<uint32_t>& touched, const std::function<void(Eviction&)>& change) {
  Shard before(kCapacity, kRows);
  Shard after(kCapacity, kRows);
  Shard dead(kCapacity, kRows);
  live(before, seed, kRequests);
  live(after, seed, kRequests);
  change(after.eviction);
  const auto old_words = words_of(before);
  const auto new_words = words_of(after);
  std::vector<size_t> changed;
  for (size_t at = 0; at < old_words.size(); ++at)
    if (old_words[at] != new_words[at]) changed.push_back(at);
  ASSERT_LE(changed.size(), 13u);
  for (uint32_t stored = 0; stored < 1U << changed.size(); ++stored) {
    auto words = old_words;
    for (size_t at = 0; at < changed.size(); ++at)
      if (stored >> at & 1) words[changed[at]] = new_words[changed[at]];
    put(dead, words);
    const auto small = said(dead, Place::small);
    const auto main = said(dead, Place::main);
    dead.eviction.rebuild();
    ASSERT_EQ(dead.fault(), "") << "seed " << seed << ", stored " << stored;
    ASSERT_EQ(said(dead, Place::small), small);
    ASSERT_EQ(said(dead, Place::main), main);
    for (const Place place : {Place::small, Place::main})
      ASSERT_EQ(without(dead.in(place), touched), without(before.in(place), touched)) << "stored " << stored;
  }
}

TEST(EvictionRebuild, FollowsADeathAnywhereInARemoval) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Shard shard(kCapacity, kRows);
    live(shard, seed, kRequests);
    for (const Place place : {Place::small, Place::main})
      for (const uint32_t row : shard.in(place)) die_everywhere(seed, {row}, [&](Eviction& of) { of.remove(row); });
  }
}

TEST(EvictionRebuild, FollowsADeathAnywhereInAnInsertion) {
  Shard shard(kCapacity, kRows);
  live(shard, 4, kRequests);
  const auto free = said(shard, Place::none);
  ASSERT_FALSE(free.empty());
  for (const Place place : {Place::small, Place::main})
    die_everywhere(4, {free[0]}, [&](Eviction& of) { of.insert(free[0], 77, 10, place); });
}

// Where the search for a victim gives one alone.
TEST(EvictionRebuild, FollowsADeathAnywhereInASecondChance) {
  unsigned chances = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Shard before(kCapacity, kRows);
    Shard after(kCapacity, kRows);
    live(before, seed, kRequests);
    live(after, seed, kRequests);
    after.eviction.victim();
    std::vector<uint32_t> moved;
    for (uint32_t row = 0; row < kRows; ++row)
      if (after.entries[row].uses != before.entries[row].uses) moved.push_back(row);
    if (moved.size() != 1) continue;
    ++chances;
    die_everywhere(seed, moved, [](Eviction& of) { of.victim(); });
  }
  EXPECT_GE(chances, 3u);
}

TEST(EvictionRebuild, FollowsADeathAnywhereInAChangeOfWeight) {
  Shard shard(kCapacity, kRows);
  live(shard, 3, kRequests);
  for (const Place place : {Place::small, Place::main})
    for (const uint32_t row : shard.in(place))
      die_everywhere(3, {}, [&](Eviction& of) { of.weight_changed(row, (1ULL << 40) + 12345); });
}

TEST(EvictionRebuild, FollowsADeathInTheRebuildItself) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Shard shard(kCapacity, kRows);
    live(shard, seed, kRequests);
    const auto small = shard.in(Place::small);
    const auto main = shard.in(Place::main);
    const auto old_words = words_of(shard);
    shard.eviction.rebuild();
    const auto new_words = words_of(shard);
    std::mt19937_64 random(seed);
    for (int times = 0; times < 100; ++times) {
      auto words = old_words;
      for (size_t at = 0; at < words.size(); ++at)
        if (random() % 2) words[at] = new_words[at];
      put(shard, words);
      shard.eviction.rebuild();
      ASSERT_EQ(shard.fault(), "");
      ASSERT_EQ(shard.in(Place::small), small);
      ASSERT_EQ(shard.in(Place::main), main);
    }
  }
}

// Garbage in all that can be made again; the truth stays.
void corrupt(Shard& shard, std::mt19937_64& random) {
  const auto link = [&] {
    return random() % 4 ? static_cast<uint32_t>(random() % kRows) : static_cast<uint32_t>(random());
  };
  for (QueueState* queue : {&shard.state.small, &shard.state.main})
    *queue = {random(), link(), link(), static_cast<uint32_t>(random()), 0};
  shard.state.ghost_clock = static_cast<uint32_t>(random());
  shard.state.frequency.counted = static_cast<uint32_t>(random());
  shard.state.frequency.stripe = static_cast<uint32_t>(random());
  shard.state.frequency.stripe_after = static_cast<uint32_t>(random());
  for (EvictionEntry& entry : shard.entries) {
    entry.older = link();
    entry.newer = link();
    entry.mark = static_cast<uint8_t>(random());
  }
  for (uint64_t& word : shard.ghosts) word = random();
  for (auto& word : shard.frequencies) word = random();
}

TEST(EvictionRebuild, MakesSoundQueuesOfAnyGarbage) {
  std::mt19937_64 random(5);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Shard shard(kCapacity, kRows);
    live(shard, seed, kRequests);
    corrupt(shard, random);
    const auto small = said(shard, Place::small);
    const auto main = said(shard, Place::main);
    shard.eviction.rebuild();
    ASSERT_EQ(shard.fault(), "");
    ASSERT_EQ(said(shard, Place::small), small);
    ASSERT_EQ(said(shard, Place::main), main);
    live(shard, seed, kRequests);   // and goes on
    ASSERT_EQ(shard.fault(), "");
    ASSERT_LE(shard.eviction.weight(), kCapacity);
  }
}

TEST(EvictionRebuild, TakesAnUnknownPlaceForNoneAndTooManyUsesForTheMost) {
  Shard shard(kCapacity, kRows);
  for (uint32_t row = 0; row < 10; ++row) shard.eviction.insert(row, row, 10, Place::small);
  shard.entries[4].place = static_cast<Place>(200);
  shard.entries[5].uses = 255;
  shard.eviction.rebuild();
  EXPECT_EQ(shard.fault(), "");
  EXPECT_EQ(shard.entries[4].place, Place::none);
  EXPECT_EQ(shard.entries[5].uses, 3);
  EXPECT_EQ(shard.eviction.objects(), 9u);
}

TEST(EvictionRebuild, LeavesSaneQueuesAsTheyAre) {
  Shard shard(kCapacity, kRows);
  live(shard, 9, kRequests);
  const auto words = words_of(shard);
  shard.eviction.rebuild();
  shard.eviction.rebuild();
  for (EvictionEntry& entry : shard.entries) entry.mark = 0;
  EXPECT_EQ(words_of(shard), words);
}

TEST(EvictionRebuild, KeepsTheOrderOnBothSidesOfABrokenLink) {
  Shard shard(kCapacity, kRows);
  for (uint32_t row = 0; row < 10; ++row) shard.eviction.insert(row, row, 10, Place::small);
  shard.entries[3].newer = kNoEntry;
  shard.entries[6].older = 4'000'000'000;
  shard.eviction.rebuild();
  EXPECT_EQ(shard.in(Place::small), (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(EvictionRebuild, FindsAnObjectThatARepairDescribes) {
  Shard shard(kCapacity, kRows);
  for (uint32_t row = 0; row < 4; ++row) shard.eviction.insert(row, row, 10, Place::small);
  shard.entries[9].describe(9, 25, Place::main);
  shard.entries[2].forget();
  shard.eviction.rebuild();
  EXPECT_EQ(shard.in(Place::small), (std::vector<uint32_t>{0, 1, 3}));
  EXPECT_EQ(shard.in(Place::main), (std::vector<uint32_t>{9}));
  EXPECT_EQ(shard.eviction.weight(), 55u);
  EXPECT_EQ(shard.fault(), "");
}

}   // namespace
}   // namespace proxyd::cache
