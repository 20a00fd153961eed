#include "shared/status/target_health.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "shared/status/prober_lease.h"
#include "shared/status/slow_start.h"

namespace proxyd::status {
namespace {

using Condition = TargetHealth::Condition;
using State = TargetHealth::State;

class Health : public testing::Test {
 protected:
  bool check(bool passed, uint64_t at, uint32_t rise = 2, uint32_t fall = 3) {
    return health_.note_check({at, passed ? Finding::kOk : Finding::kStatus, 503}, rise, fall);
  }
  std::unique_ptr<HealthWords> words_ = std::make_unique<HealthWords>();
  TargetHealth health_{*words_};
};

TEST_F(Health, TheFirstPassedCheckIsEnoughForATargetThatWasNeverChecked) {
  EXPECT_EQ(health_.condition(true, true), Condition::kChecking);
  EXPECT_TRUE(check(true, 5));
  EXPECT_EQ(health_.condition(true, true), Condition::kUp);
  EXPECT_EQ(health_.checked().since_ms, 5u);
  EXPECT_TRUE(health_.checked().was_passing);
}

TEST_F(Health, GoesDownAfterSoManyFailuresInARowAndComesBackAfterSoManyPasses) {
  check(true, 1);
  EXPECT_FALSE(check(false, 2));
  EXPECT_EQ(health_.condition(true, true), Condition::kDegraded);
  EXPECT_FALSE(check(false, 3));
  EXPECT_FALSE(check(true, 4)) << "the row begins anew";
  EXPECT_FALSE(check(false, 5));
  EXPECT_FALSE(check(false, 6));
  EXPECT_TRUE(check(false, 7));
  EXPECT_EQ(health_.condition(true, true), Condition::kFailing);
  EXPECT_FALSE(check(true, 8));
  EXPECT_FALSE(check(false, 9));
  EXPECT_FALSE(check(true, 10));
  EXPECT_TRUE(check(true, 11));
  EXPECT_EQ(health_.condition(true, true), Condition::kUp);
  EXPECT_EQ(health_.eligible_since_ms(true), 11u);
}

TEST_F(Health, ATargetThatFailsFromTheStartIsCheckingUntilItHasFailedOftenEnough) {
  check(false, 1);
  EXPECT_EQ(health_.condition(true, true), Condition::kChecking);
  check(false, 2);
  EXPECT_TRUE(check(false, 3));
  EXPECT_EQ(health_.condition(true, true), Condition::kFailing);
  EXPECT_FALSE(health_.checked().was_passing);
}

TEST_F(Health, FailuresCountOnlyInARowAndWithinTheWindow) {
  EXPECT_FALSE(health_.note_failure(1000, 3, 100));
  EXPECT_FALSE(health_.note_failure(1001, 3, 100));
  EXPECT_EQ(health_.condition(false, true), Condition::kDegraded);
  health_.note_success();
  EXPECT_EQ(health_.condition(false, true), Condition::kUp);
  EXPECT_FALSE(health_.note_failure(1002, 3, 100));
  EXPECT_FALSE(health_.note_failure(1050, 3, 100));
  EXPECT_FALSE(health_.note_failure(1103, 3, 100)) << "the first one is too long ago";
  EXPECT_FALSE(health_.note_failure(1104, 3, 100));
  EXPECT_TRUE(health_.note_failure(1105, 3, 100));
}

TEST_F(Health, WhatFailsInOneMillisecondFailedByOneCause) {
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(health_.note_failure(1000, 2, 100));
  EXPECT_EQ(health_.failures_in_a_row(), 1u);
  EXPECT_TRUE(health_.note_failure(1001, 2, 100));
}

TEST_F(Health, ThatWeCouldNotAskSaysNothingOfTheTarget) {
  check(true, 1);
  for (uint64_t at = 2; at < 9; ++at) EXPECT_FALSE(health_.note_check({at, Finding::kNoPlace, 0}, 1, 1));
  EXPECT_EQ(health_.condition(true, true), Condition::kUp);
  EXPECT_EQ(health_.results().back().finding, Finding::kNoPlace);
}

TEST_F(Health, AShareOfErrorsNeedsTwentyRequestsInTheWindow) {
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(health_.note_request(100, false, 50, 1000));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(health_.note_request(200, true, 50, 1000));
  EXPECT_TRUE(health_.note_request(300, true, 50, 1000)) << "11 of 20";
  EXPECT_FALSE(health_.note_request(1100, true, 50, 1000)) << "another window";
}

TEST_F(Health, EachEjectionInARowIsLongerAndTimeForgetsThem) {
  EXPECT_TRUE(health_.eject(1000, 100));
  EXPECT_FALSE(health_.eject(1001, 100)) << "it is already";
  EXPECT_EQ(health_.circuit().until_ms, 1100u);
  EXPECT_FALSE(health_.begin_trial(1099, 50));
  EXPECT_TRUE(health_.begin_trial(1100, 50));
  EXPECT_FALSE(health_.begin_trial(1101, 50)) << "one at a time";
  health_.end_trial(1110, false, 100, Finding::kBrokeOff);
  EXPECT_EQ(health_.circuit().until_ms, 1310u) << "the second time";
  EXPECT_TRUE(health_.begin_trial(1400, 50));
  EXPECT_TRUE(health_.begin_trial(1450, 50)) << "who had the trial is gone";
  health_.end_trial(1460, true, 100, Finding::kOk);
  EXPECT_EQ(health_.circuit().state, State::kClosed);
  EXPECT_TRUE(health_.eject(1500, 100));
  EXPECT_EQ(health_.circuit().until_ms, 1800u) << "the third time, soon after";
  EXPECT_TRUE(health_.begin_trial(1800, 50));
  health_.end_trial(1800, true, 100, Finding::kOk);
  EXPECT_TRUE(health_.eject(1800 + 1001, 100));
  EXPECT_EQ(health_.circuit().times, 1u) << "long after";
}

TEST_F(Health, AnEjectionEndsByATrialAloneAndOneThatToldNothingLetsTheNextTry) {
  health_.eject(1000, 100);
  health_.note_success();   // of a request that was sent before
  EXPECT_EQ(health_.circuit().state, State::kOpen);
  ASSERT_TRUE(health_.begin_trial(1100, 5000));
  health_.abandon_trial(1200);
  EXPECT_TRUE(health_.begin_trial(1200, 5000));
}

TEST_F(Health, KeepsTheLast64ResultsAndWhyStatesChanged) {
  for (uint64_t i = 1; i <= 100; ++i) check(i % 10 < 5, i);
  const auto results = health_.results();
  ASSERT_EQ(results.size(), 64u);
  EXPECT_EQ(results.front().at_ms, 37u);
  EXPECT_EQ(results.back().at_ms, 100u);
  EXPECT_EQ(results[2].finding, Finding::kStatus);
  EXPECT_EQ(results[2].status, 503);
  const auto transitions = health_.transitions();
  ASSERT_EQ(transitions.size(), kTransitionsKept);
  EXPECT_EQ(transitions.back().cause, Cause::kChecksFailed);
}

TEST_F(Health, WhoDiedBetweenTakingAPlaceAndFillingItLeavesAGapAndNoLie) {
  for (uint64_t i = 1; i <= 70; ++i) check(true, i);
  words_->results_noted.fetch_add(1);   // its word was never written: an older one lies there
  check(true, 80);
  const auto results = health_.results();
  for (size_t i = 1; i < results.size(); ++i) EXPECT_GE(results[i].at_ms, results[i - 1].at_ms);
  EXPECT_EQ(results.back().at_ms, 80u);
}

TEST_F(Health, AClearedRowKnowsNothing) {
  check(true, 1);
  health_.eject(2, 100);
  health_.note_failure(3, 5, 100);
  health_.clear();
  EXPECT_EQ(health_.condition(true, true), Condition::kChecking);
  EXPECT_EQ(health_.condition(false, true), Condition::kUp);
  EXPECT_TRUE(health_.results().empty());
}

TEST_F(Health, ManyThreadsCountEveryRequestOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([this] {
      for (int j = 0; j < 1000; ++j) TargetHealth(*words_).note_request(10, true, 100, 1000);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(words_->traffic.load() & 0xFFFFF, 4000u);
}

TEST(SlowStart, GrowsInTwentyStepsFromATwentiethToAll) {
  EXPECT_EQ(ramped_weight(100, 1000, 0, 1000), 100u);
  EXPECT_EQ(ramped_weight(100, 0, 1000, 1000), 100u) << "there from the start";
  EXPECT_EQ(ramped_weight(100, 1000, 2000, 1000), 5u);
  EXPECT_EQ(ramped_weight(100, 1000, 2000, 2000), 55u);
  EXPECT_EQ(ramped_weight(100, 1000, 2000, 2999), 100u);
  EXPECT_EQ(ramped_weight(100, 1000, 2000, 3000), 100u);
  EXPECT_EQ(ramped_weight(1, 1000, 2000, 1000), 1u);
  EXPECT_EQ(ramped_weight(0, 1000, 2000, 1000), 0u);
}

class Lease : public testing::Test {
 protected:
  void SetUp() override {
    for (const uint32_t slot : {0u, 1u}) start(slot, 1000);
  }
  void start(uint32_t slot, uint64_t now) {
    region_->note_slot(slot);
    region_->worker(slot).pid = 1;
    region_->worker(slot).serving = 1;
    region_->worker(slot).heartbeat_ms = now;
  }
  Result<StatusRegion> region_ = StatusRegion::create();
  ProberLease first_{*region_, 0};
  ProberLease second_{*region_, 1};
};

TEST_F(Lease, TheLowestSlotThatRunsIsTheProber) {
  EXPECT_FALSE(second_.renew(1000));
  EXPECT_TRUE(first_.renew(1000));
  EXPECT_TRUE(first_.renew(1500));
  EXPECT_FALSE(second_.renew(1500));
  EXPECT_EQ(ProberLease::holder(*region_, 1500), 0u);
}

TEST_F(Lease, IsTakenOverThreeSecondsAfterItsHolderDied) {
  ASSERT_TRUE(first_.renew(1000));
  region_->clear_worker(0);
  region_->worker(1).heartbeat_ms = 4000;
  EXPECT_FALSE(second_.renew(4000)) << "not yet";
  EXPECT_TRUE(second_.renew(4001));
  start(0, 4500);
  EXPECT_FALSE(first_.renew(4500)) << "it is the second one's";
  EXPECT_FALSE(second_.renew(4600)) << "which gives it up to the lower one";
  EXPECT_TRUE(first_.renew(4700));
}

TEST_F(Lease, AWorkerThatDrainsLeavesItToOneThatServes) {
  ASSERT_TRUE(first_.renew(1000));
  region_->worker(0).serving = 0;
  EXPECT_FALSE(first_.renew(1500));
  EXPECT_TRUE(second_.renew(1500));
  region_->worker(1).serving = 0;
  EXPECT_FALSE(second_.renew(2000)) << "all drain: the lowest goes on";
  EXPECT_TRUE(first_.renew(2000));
}

}   // namespace
}   // namespace proxyd::status
