#include "shared/memory/patience.h"

#include <gtest/gtest.h>

#include <memory>

namespace proxyd::memory {
namespace {

using Wait = RobustMutex::Wait;

class PatienceTest : public testing::Test {
 protected:
  Wait patience_for(const RobustMutex& lock, std::chrono::milliseconds after) const {
    return patience_.worth(lock, Wait::patiently, began_ + after);
  }

  const Patience::Instant began_{std::chrono::hours(1)};
  std::array<RobustMutex, 9> locks_{};
  Patience patience_;
};

TEST_F(PatienceTest, ALockThatWasWaitedForInVainIsWaitedForBrieflyForAWhile) {
  patience_.waited_in_vain(locks_[0], began_);
  EXPECT_EQ(patience_for(locks_[0], Patience::kMemory / 2), Wait::briefly);
  EXPECT_EQ(patience_for(locks_[1], Patience::kMemory / 2), Wait::patiently);
  EXPECT_EQ(patience_.worth(locks_[0], Wait::none, began_), Wait::none);
  EXPECT_EQ(patience_for(locks_[0], Patience::kMemory), Wait::patiently);
}

TEST_F(PatienceTest, ALockThatWasHadIsWorthPatienceAgain) {
  patience_.waited_in_vain(locks_[0], began_);
  patience_.waited_in_vain(locks_[1], began_);
  patience_.had(locks_[0]);
  EXPECT_EQ(patience_for(locks_[0], {}), Wait::patiently);
  EXPECT_EQ(patience_for(locks_[1], {}), Wait::briefly);
}

TEST_F(PatienceTest, TheOldestIsForgottenForTheNinth) {
  for (const RobustMutex& lock : locks_) patience_.waited_in_vain(lock, began_);
  EXPECT_EQ(patience_for(locks_[0], {}), Wait::patiently);
  for (size_t i = 1; i < locks_.size(); ++i) EXPECT_EQ(patience_for(locks_[i], {}), Wait::briefly) << i;
}

TEST_F(PatienceTest, SaysWhenAllOfItWasSpent) {
  RobustMutex& lock = locks_[0];
  lock.create();
  ASSERT_EQ(lock.acquire(), RobustMutex::Outcome::held);
  EXPECT_TRUE(patience_.acquire(lock, Wait::patiently).in_vain);
  EXPECT_FALSE(patience_.acquire(lock, Wait::briefly).in_vain);
  lock.release();
  const Patience::Answer had = patience_.acquire(lock, Wait::patiently);
  EXPECT_EQ(had.outcome, RobustMutex::Outcome::held);
  EXPECT_FALSE(had.in_vain);
  lock.release();
  EXPECT_EQ(patience_.worth(lock, Wait::patiently, std::chrono::steady_clock::now()), Wait::patiently);
}

}   // namespace
}   // namespace proxyd::memory
