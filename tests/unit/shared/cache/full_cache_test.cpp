// A cache that is full: who leaves is the eviction's to say, not the housekeeping's.
#include "cache_fixture.h"

namespace proxyd::cache {
namespace {

constexpr unsigned kResidents = 800;   // about what fits
constexpr unsigned kNewcomers = 2000;

class FullCacheTest : public CacheTest {
 protected:
  FullCacheTest() {
    for (unsigned i = 0; i < kResidents; ++i) ask("resident" + std::to_string(i));
    for (unsigned i = 0; i < kResidents * 2; ++i) ask("resident" + std::to_string(i % kResidents));
  }

  // A request, ten of them in a millisecond: whether it hit; a fill is complete when so many others have begun.
  bool ask(const std::string& key, size_t open = 0) {
    const Lookup found = first_->find(key, 0, now());
    if (found.outcome == Lookup::Outcome::found) return true;
    FillLock lock = second_->begin_fill(key, 0, now());
    EXPECT_EQ(lock.outcome, FillLock::Outcome::filler);
    EXPECT_EQ(lock.filler.set_head(Head{.length = content_.size()}), Written::ok);
    fills_.push_back(std::move(lock.filler));
    if (fills_.size() > open) {
      EXPECT_EQ(fills_.front().append(content_), content_.size());
      fills_.front().complete();
      fills_.erase(fills_.begin());
    }
    ++requests_;
    for (int passes = 0; passes < 50 && (first_->tend(now()) || second_->tend(now())); ++passes) {
    }
    return false;
  }
  int64_t now() const { return requests_ / 10; }

  const std::string content_ = text_of(64u << 10);
  std::vector<Filler> fills_;
  int64_t requests_ = 0;
};

TEST_F(FullCacheTest, StaysFullWhateverIsStored) {
  const uint64_t before = first_->accounts().objects;
  EXPECT_GT(before, kResidents * 9 / 10);
  uint64_t least = before;
  for (unsigned i = 0; i < kNewcomers; ++i) {
    ask("newcomer" + std::to_string(i));
    least = std::min<uint64_t>(least, first_->accounts().objects);
  }
  EXPECT_GT(least, before - 32);
}

TEST_F(FullCacheTest, LetsNobodyLeaveForFillsThatDoNotWin) {
  for (unsigned i = 0; i < kNewcomers; ++i) ask("newcomer" + std::to_string(i), 8);
  EXPECT_GT(first_->accounts().refused, kNewcomers * 8 / 10);
  unsigned kept = 0;
  for (unsigned i = 0; i < kResidents; ++i) kept += ask("resident" + std::to_string(i), 8);
  EXPECT_GT(kept, kResidents * 8 / 10);
}

// Whoever waited for it shall find it: it does not have to be wanted more than what is stored.
TEST_F(FullCacheTest, KeepsThatAKeyIsNotCacheable) {
  constexpr unsigned kPasses = 1000;
  for (unsigned i = 0; i < kNewcomers; ++i) ask("newcomer" + std::to_string(i));
  for (unsigned i = 0; i < kPasses; ++i) {
    FillLock lock = second_->begin_fill("pass" + std::to_string(i), 0, now());
    ASSERT_EQ(lock.outcome, FillLock::Outcome::filler);
    lock.filler.not_cacheable(now() + 1'000'000);
    first_->tend(now());
  }
  for (unsigned i = 0; i < kPasses; ++i) {
    EXPECT_EQ(first_->find("pass" + std::to_string(i), 0, now()).outcome, Lookup::Outcome::pass) << i;
  }
  unsigned kept = 0;
  for (unsigned i = 0; i < kResidents; ++i) kept += ask("resident" + std::to_string(i), 8);
  EXPECT_GT(kept, kResidents * 8 / 10);
}

}   // namespace
}   // namespace proxyd::cache
