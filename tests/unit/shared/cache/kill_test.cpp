// A process ends at every named step between two writes to the region, each step for itself; what it leaves is
// repaired, serves no wrong byte, and accounts for every block.
// Not under TSan, which knows no processes.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef PROXYD_TEST_HOOKS
#endif
#endif
#ifdef PROXYD_TEST_HOOKS

#include <set>

#include "tests/unit/shared/cache/kill_fixture.h"

namespace proxyd::cache {
namespace {

// At the first, a middle and the last time that it takes the step.
TEST_F(KillTest, EveryStepOfAWorkerCanBeItsLast) {
  const auto begin = [this] {
    renew();
    leave_orphans();
  };
  begin();
  const auto names = steps_of(work);
  ASSERT_LT(names.size(), kMostSteps);
  const auto places = places_of(names);
  EXPECT_GT(places.size(), 80u);
  EXPECT_TRUE(places.contains("take over: mine"));
  for (const auto& [name, at] : places) {
    for (const uint32_t place : std::set{at.front(), at[at.size() / 2], at.back()}) {
      begin();
      EXPECT_FALSE(child(0, work, place)) << name;
      expect_recovery({0}, name + ", step " + std::to_string(place), place != at[at.size() / 2]);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
    }
  }
}

TEST_F(KillTest, WhatIsLargeCountsAsLargeThoughItsFillerDiedBeforeItSaidSo) {
  const auto fill = [](Cache& cache) { fetch(cache, 5); };
  renew();
  const auto places = places_of(steps_of(fill));
  ASSERT_TRUE(places.contains("admit: inserted"));
  const uint64_t large = view_.shard(0).large.load();
  ASSERT_GT(large, size_of(5));
  renew();
  EXPECT_FALSE(child(0, fill, places.at("admit: inserted").front()));
  Cache master(view_, kMaster, 1);
  ASSERT_TRUE(master.worker_died(0));
  EXPECT_EQ(view_.shard(0).large.load(), large);
}

// One worker dies in a change, the next in the repair of it or the master in clearing away, and then all is repaired.
TEST_F(KillTest, EveryStepOfARepairCanBeItsLast) {
  const auto clear_away = [](Cache& master) {
    while (!master.worker_died(0)) {
    }
    tend(master);
  };
  renew();
  const auto places = places_of(steps_of(work));
  size_t ends = 0;
  for (const char* name : {"link: in the index", "reclaim: freeing", "take: owner", "extend: listed"}) {
    ASSERT_TRUE(places.contains(name)) << name;
    const std::vector<uint32_t>& at = places.at(name);
    const uint32_t place = at[at.size() / 2];
    renew();
    EXPECT_FALSE(child(0, work, place)) << name;
    ASSERT_TRUE(child(kMaster, clear_away));
    const auto repairs = places_of({trace().names.begin(), trace().names.begin() + trace().count});
    for (const auto& [repair, when] : repairs) {
      renew();
      EXPECT_FALSE(child(0, work, place)) << name;
      EXPECT_FALSE(child(kMaster, clear_away, when.front())) << repair;
      expect_recovery({0, kMaster}, std::string(name) + ", then " + repair);
      if (HasFatalFailure() || HasNonfatalFailure()) return;
      ++ends;
    }
  }
  EXPECT_GT(ends, 50u);
}

// Whether a master lives and clears away what a dead one left, or none does for a while.
class DeathInABanTest : public KillTest, public testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(AMasterLives, DeathInABanTest, testing::Bool());

// In a full table, so that another ban gives way: what was answered holds whenever somebody looks, and the next purger
// goes on.
TEST_P(DeathInABanTest, EachOfItsStepsCanBeTheLast) {
  const auto prepare = [this] {
    renew();
    Cache cache(view_, 2, 1);
    ASSERT_TRUE(keep(cache, "a.test/match") && keep(cache, "b.test/x") && keep(cache, "c.test/new"));
    ASSERT_TRUE(ban(cache, "a.test", "match"));
    for (uint32_t i = 1; i < kMostBans; ++i) ASSERT_TRUE(ban(cache, "b.test", "none" + std::to_string(i)));
  };
  const auto purged = [](Cache& cache, std::string_view url) { return cache.find(url, cache.published(), 0).purged; };
  const auto last = [](Cache& cache) { ban(cache, "c.test", "/new|something that takes some words to say"); };
  prepare();
  const auto names = steps_of(last);
  EXPECT_GE(places_of(names).size(), 8u);
  for (uint32_t i = 1; i <= names.size(); ++i) {
    SCOPED_TRACE(names[i - 1]);
    prepare();
    EXPECT_FALSE(child(0, last, i));
    Cache reader(view_, 1, 1);
    EXPECT_EQ(purged(reader, "a.test/match"), Purged::hard);
    EXPECT_EQ(purged(reader, "b.test/x"), Purged::no);
    if (GetParam()) {
      ASSERT_TRUE(Cache(view_, kMaster, 1).worker_died(0));
    }
    Cache other(view_, 3, 1);
    const uint64_t before = std::max(other.published(), view_.superblock().purging.load());   // the dead one's holds
    ASSERT_TRUE(keep(other, "c.test/new") || purged(other, "c.test/new") == Purged::no);
    EXPECT_EQ(ban(other, "c.test", "new"), before + 1);
    for (Cache* one : {&reader, &other}) {
      EXPECT_EQ(purged(*one, "a.test/match"), Purged::hard);
      EXPECT_EQ(purged(*one, "b.test/x"), Purged::no);
      EXPECT_EQ(purged(*one, "c.test/new"), Purged::hard);
    }
    EXPECT_LE(Bans::count(view_), kMostBans);
  }
}

TEST_F(KillTest, OneFollowerTakesOverFromAFillerThatDied) {
  renew();
  const std::string content = text_of(200'000);
  const auto fill_half = [&](Cache& cache) {
    FillLock lock = cache.begin_fill("k", 0, 0);
    lock.filler.set_head(Head{.section = "A: b\r\n", .length = content.size()});
    lock.filler.append(std::string_view(content).substr(0, 100'001));
    ::_exit(9);
  };
  EXPECT_FALSE(child(0, fill_half));
  Cache master(view_, kMaster, 1);
  Cache one(view_, 1, 1);
  Cache other(view_, 2, 1);
  FillLock follower = one.begin_fill("k", 0, 0);
  FillLock second = other.begin_fill("k", 0, 0);
  ASSERT_EQ(follower.outcome, FillLock::Outcome::follow);
  EXPECT_FALSE(follower.response.progress().orphaned) << "nobody has said that it died";
  ASSERT_TRUE(master.worker_died(0));
  EXPECT_TRUE(follower.response.progress().orphaned);
  Filler filler = one.take_over(follower.response);
  ASSERT_TRUE(filler);
  EXPECT_FALSE(other.take_over(second.response));
  ASSERT_EQ(filler.response().filled(), 100'001u);
  EXPECT_EQ(filler.append(std::string_view(content).substr(100'001)), content.size() - 100'001);
  ASSERT_TRUE(filler.complete());
  EXPECT_TRUE(content_of(second.response) == content);
}

// Of a fill, and of a claim to revalidate: else each would look again after 100 ms.
TEST_F(KillTest, WhoWaitsForAWorkerThatDiedIsWokenByTheMaster) {
  renew();
  Cache one(view_, 1, 1);
  ASSERT_TRUE(store(one, "stale", "x"));
  EXPECT_FALSE(child(0, [](Cache& cache) {
    const FillLock fill = cache.begin_fill("k", 0, 0);
    const Revalidation claim = cache.begin_revalidation(cache.find("stale", 0, 0).response);
    ::_exit(9);
  }));
  const std::array followed{one.find("k", 0, 0), one.find("stale", 0, 0)};
  for (const Lookup& each : followed) {
    ASSERT_EQ(each.outcome, Lookup::Outcome::found);
    EXPECT_TRUE(each.response.arm().held);
  }
  ASSERT_FALSE(one.going_to_sleep());
  Cache master(view_, kMaster, 1);
  ASSERT_TRUE(master.worker_died(0));
  EXPECT_EQ(master.take_wakes(), std::bitset<kSlots>().set(1));
  one.awake();
  const WaitNumbers mail = one.take_mail();
  EXPECT_EQ(mail.count(), 2u);
  for (const Lookup& each : followed) EXPECT_TRUE(mail[each.response.wait_number()]);
}

TEST_F(KillTest, AFillThatNobodyFollowsGoesWithItsFiller) {
  renew();
  EXPECT_FALSE(child(0, [](Cache& cache) {
    FillLock lock = cache.begin_fill("k", 0, 0);
    lock.filler.set_head(Head{.length = 100'000});
    lock.filler.append(text_of(50'000));
    ::_exit(9);
  }));
  Cache master(view_, kMaster, 1);
  ASSERT_TRUE(master.worker_died(0));
  EXPECT_EQ(master.find("k", 0, 0).outcome, Lookup::Outcome::miss);
  tend(master);
  EXPECT_EQ(master.accounts().used, 0u);
}

}   // namespace
}   // namespace proxyd::cache

#endif
