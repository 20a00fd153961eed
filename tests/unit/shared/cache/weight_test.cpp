#include "tests/unit/shared/cache/cache_fixture.h"

// What the eviction thinks an object weighs is what its blocks weigh.
namespace proxyd::cache {
namespace {

TEST_F(CacheTest, AnotherHeadOfAnotherSizeIsWeighed) {
  const std::string content = text_of(30'000);
  ASSERT_TRUE(store(*first_, "k", content));
  const std::string section = "A: " + std::string(20'000, 'a') + "\r\n";
  for (const std::string_view next : {std::string_view(section), std::string_view("A: b\r\n")}) {
    const Lookup stale = second_->find("k", 0, 0);
    ASSERT_EQ(second_->freshen(stale.response, Head{.section = next}, 0), Written::ok);
    for (int64_t now = 0; now < 200; now += 6) first_->tend(now);
  }
  expect_sound();
  ASSERT_EQ(second_->freshen(second_->find("k", 0, 0).response, Head{.section = section}, 0), Written::ok);
  for (int64_t now = 3000; now < 3200; now += 6) first_->tend(now);
  EXPECT_EQ(first_->accounts().stored, first_->accounts().used);
}

TEST_F(CacheTest, AnotherHeadOfWhatIsLargeForItsShardIsWeighed) {
  for (int i = 0; i < 2; ++i) first_->find("k", 0, 0);
  ASSERT_TRUE(store(*first_, "k", text_of(8'000'000)));
  const std::string section = "A: " + std::string(20'000, 'a') + "\r\n";
  ASSERT_EQ(second_->freshen(second_->find("k", 0, 0).response, Head{.section = section}, 0), Written::ok);
  expect_sound();
  EXPECT_EQ(view_.shard(0).large.load(), view_.shard(0).weight.load());
  ASSERT_TRUE(first_->drop("k"));
  expect_sound();
  EXPECT_EQ(view_.shard(0).large.load(), 0u);
}

}   // namespace
}   // namespace proxyd::cache
