#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "shared/cache/frequency.h"

namespace proxyd::cache {
namespace {

struct Sketch {
  explicit Sketch(uint32_t objects) : words(Frequency::words(objects)) { frequency.set_window(10 * objects); }
  FrequencyState state{};
  std::vector<std::atomic<uint64_t>> words;
  Frequency frequency{state, words};
};

TEST(Frequency, CountsEachKeyUpToFifteen) {
  Sketch sketch(1000);
  const uint32_t key = fingerprint_of(7);
  for (uint32_t times = 1; times <= 20; ++times) {
    sketch.frequency.note(key);
    EXPECT_EQ(sketch.frequency.estimate(key), std::min(times, Frequency::kMost));
  }
  EXPECT_EQ(sketch.frequency.estimate(fingerprint_of(8)), 0u);
}

TEST(Frequency, SeldomTakesOneKeyForAnother) {
  Sketch sketch(1000);
  for (uint64_t hash = 0; hash < 1000; ++hash) sketch.frequency.note(fingerprint_of(hash));
  uint32_t wrong = 0;
  for (uint64_t hash = 1000; hash < 11000; ++hash) wrong += sketch.frequency.estimate(fingerprint_of(hash)) != 0;
  EXPECT_LT(wrong, 500u);
}

TEST(Frequency, TellsKeysApartThatDifferInAFewBitsOfTheHash) {
  std::vector<uint32_t> seen;
  for (uint32_t bit = 0; bit < 64; ++bit) seen.push_back(fingerprint_of(1ULL << bit));
  std::ranges::sort(seen);
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(Frequency, IsHalvedOnceInAWindow) {
  Sketch sketch(1000);
  const uint32_t key = fingerprint_of(7);
  for (uint32_t times = 0; times < 12; ++times) sketch.frequency.note(key);
  uint32_t lowest = Frequency::kMost;
  for (uint64_t hash = 100; hash < 100 + 10'500; ++hash) {
    sketch.frequency.note(fingerprint_of(hash));
    lowest = std::min(lowest, sketch.frequency.estimate(key));
  }
  EXPECT_GE(lowest, 5u);
  EXPECT_LE(lowest, 8u);
}

TEST(Frequency, ForgetsWhatIsNotAskedForAnyMore) {
  Sketch sketch(1000);
  const uint32_t key = fingerprint_of(7);
  for (uint32_t times = 0; times < 15; ++times) sketch.frequency.note(key);
  for (uint64_t hash = 100; hash < 100 + 100'000; ++hash) sketch.frequency.note(fingerprint_of(hash));
  EXPECT_LE(sketch.frequency.estimate(key), 8u);   // what shares its counters, for they hold 100,000 keys
}

TEST(Frequency, AcceptsAnyWordsAndAnyCounts) {
  Sketch sketch(100);
  for (auto& word : sketch.words) word = 0xFEDCBA9876543210;
  sketch.state.counted = UINT32_MAX;
  sketch.state.stripe = UINT32_MAX;
  sketch.state.stripe_after = 0;
  for (uint64_t hash = 0; hash < 10'000; ++hash) sketch.frequency.note(fingerprint_of(hash));
  EXPECT_LE(sketch.frequency.estimate(fingerprint_of(3)), Frequency::kMost);
}

TEST(Frequency, WorksForASingleObject) {
  Sketch sketch(1);
  EXPECT_EQ(Frequency::words(0), 8u);
  EXPECT_EQ(Frequency::words(8), 8u);
  EXPECT_EQ(Frequency::words(9), 16u);
  for (int times = 0; times < 3; ++times) sketch.frequency.note(fingerprint_of(1));
  EXPECT_GE(sketch.frequency.estimate(fingerprint_of(1)), 1u);
}

}   // namespace
}   // namespace proxyd::cache
