#include "tests/unit/shared/cache/cache_fixture.h"

// A block of another class in place of one that there is none of: nothing is evicted for it.
namespace proxyd::cache {
namespace {

class OtherClassesTest : public CacheTest {
 protected:
  OtherClassesTest() : pool_(first_->member()) { first_->limit_memory(16u << 20); }

  static std::string key_of(unsigned number) { return "k" + std::to_string(number); }

  // All segments are in use, and there is room in those that hold contents of this size only.
  void fill_with(size_t size) {
    const auto stored = static_cast<unsigned>((20u << 20) / size);
    for (unsigned i = 0; i < stored; ++i) store(*first_, key_of(i), text_of(size));
    tend();
    while (pool_.used_segments() < pool_.allowed_segments()) {
      FillLock lock = first_->begin_fill("open " + std::to_string(open_.size()), 0, 0);
      ASSERT_EQ(lock.filler.set_head(Head{.length = size}), Written::ok);
      if (size > 16'384) {
        ASSERT_FALSE(lock.filler.reserve().empty());
      }
      open_.push_back(std::move(lock));
    }
    for (unsigned i = 0; i < stored; i += 5) first_->drop(key_of(i));   // of each segment some
    tend();
    before_ = first_->accounts();
    ASSERT_EQ(pool_.used_segments(), pool_.allowed_segments());
  }
  void tend() {
    for (int64_t end = now_ + 500; now_ < end; now_ += 6) first_->tend(now_);
  }
  void expect_none_left() {
    const Accounts after = first_->accounts();
    EXPECT_EQ(after.evicted, before_.evicted);
    EXPECT_EQ(after.emptied_segments, before_.emptied_segments);
    EXPECT_EQ(after.refused, before_.refused);
    open_.clear();
    expect_sound();
  }

  ContentPool pool_;
  std::vector<FillLock> open_;
  Accounts before_;
  int64_t now_ = 1;
};

TEST_F(OtherClassesTest, ALargerBlockIsTakenWhereTheOwnClassHasNone) {
  fill_with(3'500);
  const std::string content = text_of(1'600, 2);
  for (unsigned i = 0; i < 50; ++i) {
    const std::string key = "small " + std::to_string(i);
    ASSERT_TRUE(store(*first_, key, content));
    EXPECT_EQ(content_of(second_->find(key, 0, 0).response), content);
  }
  expect_none_left();
}

TEST_F(OtherClassesTest, APieceOfAContentIsASmallerBlockWhereTheOwnClassHasNone) {
  fill_with(49'000);
  const std::string content = text_of(97'000, 2);
  for (unsigned i = 0; i < 5; ++i) {
    const std::string key = "large " + std::to_string(i);
    ASSERT_TRUE(store(*first_, key, content));
    EXPECT_EQ(content_of(second_->find(key, 0, 0).response), content);
  }
  expect_none_left();
}

TEST_F(OtherClassesTest, WhatWouldTakeABlockManyTimesAsLargeMakesRoom) {
  fill_with(49'000);
  ASSERT_TRUE(store(*first_, "small", text_of(1'600)));
  EXPECT_GT(first_->accounts().evicted, before_.evicted);
  EXPECT_GT(first_->accounts().emptied_segments, before_.emptied_segments);
  open_.clear();
  expect_sound();
}

}   // namespace
}   // namespace proxyd::cache
