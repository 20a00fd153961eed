#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

class FreeSegmentsTest : public CacheTest {
 protected:
  uint32_t with_pages() const {
    uint32_t count = 0;
    for (uint32_t i = 0; i < view_.superblock().pool.touched.load(); ++i) count += view_.segment(i).pages.load() != 0;
    return count;
  }
  void store_and_drop(unsigned count) {
    for (unsigned i = 0; i < count; ++i) ASSERT_TRUE(store(*first_, "k" + std::to_string(i), text_of(60'000)));
    for (unsigned i = 0; i < count; ++i) ASSERT_TRUE(first_->drop("k" + std::to_string(i)));
    for (int64_t now = 1; now < 300; now += 6) first_->tend(now);
  }
};

TEST_F(FreeSegmentsTest, WhatHasPagesIsUsedBeforeWhatHasNone) {
  store_and_drop(500);
  const uint32_t all = with_pages();
  ASSERT_GT(all, 20u);
  const uint32_t released = first_->release_pages(all / 2);
  ASSERT_EQ(released, all / 2);
  store_and_drop(100);
  EXPECT_EQ(with_pages(), all - released);
  expect_sound();
}

TEST_F(FreeSegmentsTest, WhatGaveItsPagesBackIsUsedAgainBeforeWhatWasNeverUsed) {
  store_and_drop(500);
  const uint32_t touched = view_.superblock().pool.touched.load();
  EXPECT_GT(first_->release_pages(1000), 20u);
  EXPECT_EQ(first_->release_pages(1000), 0u);
  store_and_drop(500);
  EXPECT_EQ(view_.superblock().pool.touched.load(), touched);
  expect_sound();
}

TEST_F(FreeSegmentsTest, ASegmentThatIsSetAsideIsNobodysUntilItIsBack) {
  store_and_drop(500);
  ContentPool pool(first_->member());
  const uint32_t aside = pool.set_aside();
  const uint32_t other = pool.set_aside();
  ASSERT_NE(aside, ContentPool::kNone);
  ASSERT_NE(other, aside);
  expect_sound();
  const uint32_t cut = view_.segment(aside).cut.load();
  for (unsigned i = 0; i < 3000; ++i) store(*first_, "again" + std::to_string(i), text_of(60'000));
  EXPECT_EQ(view_.segment(aside).cut.load(), cut);
  pool.back(aside);
  pool.return_set_aside(first_->member().holder.slot);   // as after a death
  EXPECT_EQ(view_.segment(other).cut.load(), 0u);
  expect_sound();
}

}   // namespace
}   // namespace proxyd::cache
