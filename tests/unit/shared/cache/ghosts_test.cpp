#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "shared/cache/frequency.h"
#include "shared/cache/ghosts.h"

namespace proxyd::cache {
namespace {

struct Remembered {
  explicit Remembered(uint32_t objects) : words(Ghosts::words(objects)) {}
  uint32_t clock = 0;
  std::vector<uint64_t> words;
  Ghosts ghosts{clock, words};
};

TEST(Ghosts, RemembersTheNewestOnly) {
  Remembered of(100);
  for (uint32_t hash = 0; hash < 10; ++hash) of.ghosts.add(fingerprint_of(hash));
  EXPECT_TRUE(of.ghosts.contains(fingerprint_of(7), 3));
  EXPECT_FALSE(of.ghosts.contains(fingerprint_of(6), 3));
  EXPECT_FALSE(of.ghosts.contains(fingerprint_of(10), 3));
  EXPECT_FALSE(of.ghosts.contains(fingerprint_of(9), 0));
}

TEST(Ghosts, TakesOneOnce) {
  Remembered of(100);
  of.ghosts.add(fingerprint_of(1));
  EXPECT_TRUE(of.ghosts.take(fingerprint_of(1), 100));
  EXPECT_FALSE(of.ghosts.take(fingerprint_of(1), 100));
}

TEST(Ghosts, CountsOneThatComesAgainAsNew) {
  Remembered of(100);
  of.ghosts.add(fingerprint_of(1));
  of.ghosts.add(fingerprint_of(2));
  of.ghosts.add(fingerprint_of(1));
  EXPECT_TRUE(of.ghosts.contains(fingerprint_of(1), 1));
  EXPECT_TRUE(of.ghosts.take(fingerprint_of(1), 100));
  EXPECT_FALSE(of.ghosts.contains(fingerprint_of(1), 100));
}

TEST(Ghosts, LosesFewOfAsManyAsItHasWordsFor) {
  Remembered of(10'000);
  for (uint64_t hash = 0; hash < 100'000; ++hash) of.ghosts.add(fingerprint_of(hash));
  uint32_t kept = 0;
  for (uint64_t hash = 90'000; hash < 100'000; ++hash) kept += of.ghosts.contains(fingerprint_of(hash), 10'000);
  EXPECT_GT(kept, 8'000u);
  for (uint64_t hash = 0; hash < 90'000; ++hash) EXPECT_FALSE(of.ghosts.contains(fingerprint_of(hash), 10'000));
}

TEST(Ghosts, AcceptsAnyWordsAndAnyClock) {
  Remembered of(100);
  std::mt19937_64 random(1);
  for (uint64_t& word : of.words) word = random();
  of.clock = UINT32_MAX - 5;
  for (uint64_t hash = 0; hash < 1'000; ++hash) {
    of.ghosts.add(fingerprint_of(hash));
    EXPECT_TRUE(of.ghosts.contains(fingerprint_of(hash), 1));
  }
}

}   // namespace
}   // namespace proxyd::cache
