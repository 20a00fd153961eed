#include "shared/cache/purge.h"

#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

using Outcome = FillLock::Outcome;

class PurgeTest : public CacheTest {
 protected:
  uint32_t tag(std::string_view name) { return first_->stamps().stamp_of(StampKind::tag, name); }
  Purged purged(std::string_view key) {
    const Lookup found = second_->find(key, second_->published(), 0);
    EXPECT_EQ(found.outcome, Lookup::Outcome::found) << key;
    return found.purged;
  }
  uint64_t purge(std::string_view name, PurgeMode mode = PurgeMode::hard) {
    const std::array stamps{tag(name)};
    return first_->stamps().purge(stamps, mode).value_or(0);
  }
};

TEST_F(PurgeTest, ConcernsWhatCarriesTheStampAndWasStoredBefore) {
  const std::array red{tag("red"), tag("round")};
  const std::array blue{tag("blue"), tag("round")};
  ASSERT_TRUE(store(*first_, "red", "x", red));
  ASSERT_TRUE(store(*first_, "blue", "x", blue));
  EXPECT_EQ(purge("red"), 1u);
  EXPECT_EQ(purged("red"), Purged::hard);
  EXPECT_EQ(purged("blue"), Purged::no);
  EXPECT_EQ(purge("round", PurgeMode::soft), 2u);
  EXPECT_EQ(purged("blue"), Purged::soft);
  EXPECT_EQ(purged("red"), Purged::hard);
  ASSERT_TRUE(store(*first_, "red", "y", red)) << "what is hard-purged is replaced by who asks next";
  EXPECT_EQ(purged("red"), Purged::no);
}

TEST_F(PurgeTest, TellsSubjectsOfOneNameApart) {
  PurgeStamps& stamps = first_->stamps();
  EXPECT_NE(stamps.stamp_of(StampKind::tag, "a"), stamps.stamp_of(StampKind::host, "a"));
  EXPECT_EQ(stamps.stamp_of(StampKind::tag, "a"), second_->stamps().stamp_of(StampKind::tag, "a"));
}

TEST_F(PurgeTest, IsNotOutrunByAFetchThatBeganBefore) {
  const std::array stamps{tag("t")};
  const uint64_t sequence = first_->published();
  FillLock fill = first_->begin_fill("k", sequence, 0);
  ASSERT_EQ(fill.outcome, Outcome::filler);
  ASSERT_EQ(purge("t"), 1u);
  ASSERT_EQ(fill.filler.set_head(Head{.stamps = stamps, .length = 1}), Written::ok);
  fill.filler.append("x");
  ASSERT_TRUE(fill.filler.complete());
  EXPECT_EQ(purged("k"), Purged::hard);
  EXPECT_EQ(first_->find("k", sequence, 0).purged, Purged::no) << "whose request was before the purge may have it";
}

TEST_F(PurgeTest, IsNotOutrunByAFollowerThatJoinsAnOlderFill) {
  const std::array stamps{tag("t")};
  FillLock fill = first_->begin_fill("k", first_->published(), 0);
  ASSERT_EQ(purge("t"), 1u);
  FillLock follower = second_->begin_fill("k", second_->published(), 0);
  ASSERT_EQ(follower.outcome, Outcome::follow) << "the tags are not known yet";
  ASSERT_EQ(fill.filler.set_head(Head{.stamps = stamps, .length = 1}), Written::ok);
  EXPECT_EQ(follower.response.purged(second_->published()), Purged::hard);
  FillLock own = second_->begin_fill("k", second_->published(), 0);
  EXPECT_EQ(own.outcome, Outcome::filler) << "so it leaves for a fetch of its own";
  fill.filler.append("x");
  EXPECT_TRUE(fill.filler.complete());
  EXPECT_EQ(second_->find("k", second_->published(), 0).response.state(), State::opening);
}

TEST_F(PurgeTest, IsNotOutrunByAnAnswerThatFreshens) {
  const std::array stamps{tag("t")};
  const uint64_t before = second_->published();
  ASSERT_TRUE(store(*first_, "k", "x", stamps));
  const Lookup stale = second_->find("k", before, 0);
  ASSERT_EQ(purge("t", PurgeMode::soft), 1u);
  ASSERT_EQ(second_->freshen(stale.response, Head{.stamps = stamps}, before), Written::ok);
  EXPECT_EQ(purged("k"), Purged::soft) << "the 304 was asked for before the purge";
  const Lookup again = second_->find("k", second_->published(), 0);
  ASSERT_EQ(second_->freshen(again.response, Head{.stamps = stamps}, second_->published()), Written::ok);
  EXPECT_EQ(purged("k"), Purged::no);
  const Lookup last = second_->find("k", second_->published(), 0);
  ASSERT_EQ(purge("t"), 2u);
  EXPECT_EQ(second_->freshen(last.response, Head{.stamps = stamps}, second_->published()), Written::superseded);
  EXPECT_EQ(purged("k"), Purged::hard);
}

TEST_F(PurgeTest, IsFoundByTagsThatAFreshenedHeadHasAnew) {
  const std::array new_stamps{tag("late")};
  const uint64_t before = second_->published();
  ASSERT_TRUE(store(*first_, "k", "x"));
  ASSERT_EQ(purge("late"), 1u);
  EXPECT_EQ(purged("k"), Purged::no) << "which notes that all purges were looked at";
  const Lookup stale = second_->find("k", before, 0);
  ASSERT_EQ(second_->freshen(stale.response, Head{.stamps = new_stamps}, before), Written::ok);
  EXPECT_EQ(purged("k"), Purged::hard);
}

TEST_F(PurgeTest, BringsMemoryBackByTheSweep) {
  const std::array stamps{tag("t")};
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(store(*first_, "k" + std::to_string(i), "x", stamps));
  ASSERT_EQ(purge("t"), 1u);
  expect_sound();
  for (int64_t now = 0; now < 5000; ++now) first_->tend(now);
  EXPECT_EQ(first_->accounts().objects, 0u);
  EXPECT_EQ(first_->accounts().used, 0u);
  EXPECT_GT(first_->stamps().share_in_use(1u << 16), 0.0);
}

TEST_F(PurgeTest, BringsTheMemoryBackOfWhatWasFilledMeanwhile) {
  const std::array stamps{tag("t")};
  FillLock fill = first_->begin_fill("k", first_->published(), 0);
  ASSERT_EQ(fill.filler.set_head(Head{.stamps = stamps, .length = 1}), Written::ok);
  ASSERT_TRUE(store(*first_, "other", "x"));
  purge("t");
  for (int64_t now = 0; now < 1000; now += 10) first_->tend(now);   // more than one whole walk
  fill.filler.append("x");
  ASSERT_TRUE(fill.filler.complete());
  for (int64_t now = 1000; now < 2000; now += 10) first_->tend(now);
  EXPECT_EQ(first_->accounts().objects, 1u);
  EXPECT_EQ(first_->accounts().purged, 1u);
}

TEST_F(PurgeTest, BringsTheMemoryBackOfWhatCouldNotBePinnedMeanwhile) {
  const std::array stamps{tag("t")};
  for (unsigned i = 0; i <= kPins; ++i) {
    ASSERT_TRUE(store(*first_, "k" + std::to_string(i), "x", i < kPins ? std::span<const uint32_t>{} : stamps));
  }
  std::vector<StoredResponse> read;
  for (unsigned i = 0; i < kPins; ++i) {
    read.push_back(std::move(first_->find("k" + std::to_string(i), 0, 0).response));
    ASSERT_TRUE(read.back());
  }
  purge("t");
  for (int64_t now = 0; now < 20'000; now += 10) first_->tend(now);
  read.clear();
  for (int64_t now = 20'000; now < 40'000; now += 10) first_->tend(now);
  EXPECT_EQ(first_->accounts().objects, kPins);
}

}   // namespace
}   // namespace proxyd::cache
