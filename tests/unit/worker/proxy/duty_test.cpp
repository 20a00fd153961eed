#include "worker/proxy/duty.h"

#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::proxy {
namespace {

class DutyTest : public cache::CacheTest {
 protected:
  cache::Filler filler(std::string_view key, const cache::StoredResponse* instead_of = nullptr) {
    return std::move(first_->begin_fill(key, first_->published(), 0, instead_of).filler);
  }
  cache::StoredResponse found(std::string_view key) { return std::move(second_->find(key, 0, 0).response); }
  bool is_passed(std::string_view key, int64_t now) {
    return second_->find(key, 0, now).outcome == cache::Lookup::Outcome::pass;
  }
  // Somebody else may revalidate it.
  bool is_free(std::string_view key) { return static_cast<bool>(second_->begin_revalidation(found(key))); }
  void revalidate(std::string_view key) {
    ASSERT_TRUE(store(*first_, key, "old"));
    stored_ = std::move(first_->find(key, 0, 0).response);
    duty_.revalidate(first_->begin_revalidation(stored_));
  }

  cache::StoredResponse stored_;
  Duty duty_;
};

TEST_F(DutyTest, IsForItselfUntilThereIsARight) {
  EXPECT_FALSE(duty_.is_for_cache());
  duty_.fill({});
  duty_.revalidate({});
  EXPECT_EQ(duty_.role(), Role::kForItself);
  duty_.revalidate_alone();
  EXPECT_TRUE(duty_.is_for_cache() && duty_.revalidates());
  EXPECT_FALSE(duty_.is_for_all());
}

TEST_F(DutyTest, ToFillEndsWithWordForHowLongNobodyQueues) {
  duty_.fill(filler("k"));
  EXPECT_EQ(duty_.role(), Role::kFills);
  duty_.stop_filling(1000);
  EXPECT_EQ(duty_.role(), Role::kForItself);
  EXPECT_TRUE(is_passed("k", 999));
  EXPECT_FALSE(is_passed("k", 1001));
}

TEST_F(DutyTest, ToFillEndsWithoutAWordWhereTheNextMayTry) {
  duty_.fill(filler("k"));
  duty_.stop_filling(0);
  EXPECT_FALSE(is_passed("k", 0));
  EXPECT_TRUE(filler("k"));
}

TEST_F(DutyTest, ToFillIsHandedOver) {
  duty_.fill(filler("k"));
  const cache::Filler taken = duty_.hand_over();
  EXPECT_TRUE(taken);
  EXPECT_EQ(duty_.role(), Role::kForItself);
  EXPECT_FALSE(duty_.hand_over());
}

TEST_F(DutyTest, ToRevalidateIsHeldUntilWhatReplacesItHasItsHead) {
  revalidate("k");
  EXPECT_EQ(duty_.role(), Role::kRevalidates);
  duty_.fill(filler("other"));
  EXPECT_EQ(duty_.role(), Role::kFills);
  EXPECT_FALSE(is_free("k"));
  duty_.stop_filling(0);   // it came to nothing
  EXPECT_EQ(duty_.role(), Role::kRevalidates);
  duty_.fill(filler("other"));
  duty_.end_claim();
  EXPECT_TRUE(is_free("k"));
  duty_.stop_filling(0);
  EXPECT_EQ(duty_.role(), Role::kForItself);
}

TEST_F(DutyTest, ThatIsGivenUpTellsThoseWhoWaitedWhy) {
  revalidate("k");
  duty_.give_up(cache::ClaimEnd::failed);
  EXPECT_EQ(duty_.role(), Role::kForItself);
  EXPECT_EQ(found("k").progress().claim_end, cache::ClaimEnd::failed);
  EXPECT_TRUE(is_free("k"));
}

}   // namespace
}   // namespace proxyd::proxy
