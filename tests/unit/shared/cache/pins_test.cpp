#include "shared/cache/pins.h"

#include <deque>

#include "shared/cache/step.h"
#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

class PinsTest : public CacheTest {
 protected:
  // The places of the first worker's table that name this row.
  std::vector<uint32_t> places_of(ObjectIndex index) const {
    std::vector<uint32_t> places;
    const WorkerSlot& worker = view_.slot(0);
    for (uint32_t i = 0; i < view_.pins_used(0).load(); ++i) {
      if (Pin::of(worker.pins[i].load()).index == index) places.push_back(i);
    }
    return places;
  }
};

// Who looks through the table word after word would see neither the place that it left nor the one that it took.
TEST_F(PinsTest, WhatIsPinnedStaysInItsPlaceWhenItsHeadComes) {
  ASSERT_TRUE(store(*first_, "other", "x"));
  Lookup below = first_->find("other", 0, 0);
  FillLock fill = first_->begin_fill("k", 0, 0);
  FillLock follower = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(follower.outcome, FillLock::Outcome::follow);
  const std::vector<uint32_t> before = places_of(follower.response.index());
  below = {};   // a lower place is free now
  ASSERT_EQ(fill.filler.set_head(Head{.metadata = "meta"}), Written::ok);
  EXPECT_TRUE(follower.response.has_head());
  EXPECT_EQ(follower.response.metadata(), "meta");
  EXPECT_EQ(places_of(follower.response.index()), before);
}

TEST_F(PinsTest, ThoseWhoPinnedTogetherHaveTheSameHeadThoughItIsReplaced) {
  FillLock fill = first_->begin_fill("k", 0, 0);
  FillLock one = first_->begin_fill("k", 0, 0);
  FillLock other = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(fill.filler.set_head(Head{.metadata = "old"}), Written::ok);
  ASSERT_TRUE(fill.filler.complete());
  EXPECT_TRUE(one.response.has_head());
  const Lookup stale = second_->find("k", 0, 0);
  ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = "new"}, 0), Written::ok);
  EXPECT_EQ(one.response.metadata(), "old");
  EXPECT_EQ(other.response.metadata(), "old");
  EXPECT_EQ(first_->find("k", 0, 0).response.metadata(), "new");
}

#ifdef PROXYD_TEST_HOOKS
// One finds it opening and shares the entry of a follower that has no head; before it looks again, the head comes.
TEST_F(PinsTest, WhoGotAHeadByTheEntryOfAFollowerKeepsItWhenALaterOneComes) {
  static Filler* opening = nullptr;
  FillLock fill = second_->begin_fill("k", 0, 0);
  opening = &fill.filler;
  FillLock follower = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(follower.outcome, FillLock::Outcome::follow);
  at_step = [](const char* name) {
    if (std::string_view(name) != "pin: shared" || opening == nullptr) return;
    EXPECT_EQ(std::exchange(opening, nullptr)->set_head(Head{.metadata = "old"}), Written::ok);
  };
  Lookup reader = first_->find("k", 0, 0);
  at_step = nullptr;
  ASSERT_EQ(opening, nullptr) << "the head came where it shall";
  ASSERT_TRUE(reader.response.has_head());
  follower = {};
  ASSERT_TRUE(fill.filler.complete());
  Lookup stale = second_->find("k", 0, 0);
  ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = "new"}, 0), Written::ok);
  stale = {};
  FillLock late = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(late.outcome, FillLock::Outcome::found);
  EXPECT_EQ(late.response.metadata(), "new");
  for (int64_t now = 0; now < 50; now += 10) second_->tend(now);
  const auto& retired = view_.object(reader.response.index()).retired;
  EXPECT_TRUE(retired[0].load() != 0 || retired[1].load() != 0) << "it is read";
  EXPECT_EQ(reader.response.metadata(), "old");
  reader = {};
  late = {};
  expect_sound();
}
#endif

TEST_F(PinsTest, HoweverManyReadLongTheHeadIsReplaced) {
  const std::string content = text_of(300'000);
  ASSERT_TRUE(store(*first_, "k", content));
  std::deque<StoredResponse> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::move(first_->find("k", 0, 0).response));
    readers.push_back(readers.back().share());
    for (size_t last = readers.size() - 2; last < readers.size(); ++last) readers[last].let_head_go();
    const Lookup stale = second_->find("k", 0, 0);
    ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = std::to_string(i)}, 0), Written::ok) << i;
  }
  for (const StoredResponse& reader : readers) EXPECT_EQ(content_of(reader), content);
  EXPECT_EQ(content_of(readers[0].share()), content);
  readers.clear();
  expect_sound();
}

TEST_F(PinsTest, WhoStillNeedsTheHeadKeepsItForAllThatShareThePin) {
  ASSERT_TRUE(store(*first_, "k", text_of(300'000)));
  Lookup one = first_->find("k", 0, 0);
  StoredResponse long_reader = one.response.share();
  long_reader.let_head_go();
  for (int i = 0; i < 3; ++i) {
    const Lookup stale = second_->find("k", 0, 0);
    ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = std::to_string(i)}, 0), Written::ok);
    for (int64_t now = 0; now < 50; now += 10) second_->tend(i * 100 + now);
  }
  EXPECT_EQ(one.response.metadata(), "meta");
  one.response = {};
  long_reader = {};
  expect_sound();
}

TEST_F(PinsTest, AfterABurstFewPlacesAreLookedAtAgain) {
  constexpr unsigned kMany = 500;
  for (unsigned i = 0; i < kMany; ++i) ASSERT_TRUE(store(*second_, "k" + std::to_string(i), "x"));
  for (unsigned burst = 0; burst < 2; ++burst) {
    std::vector<StoredResponse> readers;
    for (unsigned i = 0; i < kMany; ++i) {
      readers.push_back(std::move(first_->find("k" + std::to_string(i), 0, 0).response));
      ASSERT_TRUE(readers.back());
    }
    EXPECT_EQ(view_.pins_used(0).load(), kMany);
    for (unsigned i = 0; i < kMany; ++i) EXPECT_EQ(places_of(readers[i].index()).size(), 1u) << i;
    readers.clear();
    EXPECT_EQ(view_.pins_used(0).load(), 0u);
  }
  const Lookup found = first_->find("k0", 0, 0);
  EXPECT_EQ(places_of(found.response.index()), std::vector<uint32_t>{0});
}

}   // namespace
}   // namespace proxyd::cache
