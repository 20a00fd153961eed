#include <gtest/gtest.h>

#include <algorithm>

#include "shard.h"

namespace proxyd::cache {
namespace {

// Rows from `first` on hold hashes of the same number, each of the weight, each asked for so often.
void fill(Shard& shard, uint32_t first, uint32_t count, uint64_t weight, Place place, int requests = 1) {
  for (uint32_t row = first; row < first + count; ++row) shard.eviction.insert(row, row, weight, place);
  shard.stop_aging();
  for (uint32_t row = first; row < first + count; ++row) shard.request(row, requests);
}

TEST(Eviction, LetsAnythingInWhileThereIsRoom) {
  Shard shard(100, 100);
  for (uint32_t row = 0; row < 100; ++row) {
    shard.request(row);
    const Admission admission = shard.eviction.admit(row, 1);
    ASSERT_EQ(admission.verdict, Verdict::enters);
    EXPECT_EQ(admission.place, Place::small);
    shard.eviction.insert(row, row, 1, admission.place);
  }
  EXPECT_EQ(shard.eviction.weight(), 100u);
  EXPECT_EQ(shard.eviction.objects(), 100u);
  EXPECT_EQ(shard.fault(), "");
}

TEST(Eviction, RefusesANewcomerThatIsNotMorePopularThanItsVictim) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small, 2);
  shard.request(50, 2);
  EXPECT_EQ(shard.eviction.admit(50, 100).verdict, Verdict::less_popular);
  shard.request(50, 1);
  EXPECT_EQ(shard.eviction.admit(50, 100).verdict, Verdict::enters);
}

TEST(Eviction, GivesTheWinnersOfAComparisonAnotherRound) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small);
  shard.request(50);
  EXPECT_EQ(shard.eviction.victim(), 0u);
  EXPECT_EQ(shard.eviction.admit(50, 100).verdict, Verdict::less_popular);
  EXPECT_EQ(shard.eviction.victim(), 1u);
  EXPECT_EQ(shard.in(Place::small).back(), 0u);
}

TEST(Eviction, ComparesANewcomerWithTheSumOfItsVictims) {
  Shard shard(1000, 1000);
  fill(shard, 0, 100, 10, Place::small, 2);
  shard.request(500, 8);
  EXPECT_EQ(shard.eviction.admit(500, 31).verdict, Verdict::less_popular);   // four leave, eight requests
  shard.request(500);
  EXPECT_EQ(shard.eviction.admit(500, 31).verdict, Verdict::enters);
}

TEST(Eviction, StopsAtTheFirstExcess) {
  Shard shard(1000, 1000);
  fill(shard, 0, 100, 10, Place::small, 2);
  shard.request(500, 3);
  EXPECT_EQ(shard.eviction.admit(500, 90).verdict, Verdict::less_popular);
  const auto order = shard.in(Place::small);
  EXPECT_EQ(order.front(), 2u);   // the first two were looked at, and start anew
  EXPECT_EQ(order[98], 0u);
  EXPECT_EQ(order[99], 1u);
}

TEST(Eviction, NamesTheVictimsOneByOneUntilTheNewcomerFits) {
  Shard shard(1000, 1000);
  fill(shard, 0, 100, 10, Place::small);
  shard.request(500, 12);
  ASSERT_EQ(shard.eviction.admit(500, 95).verdict, Verdict::enters);
  EXPECT_EQ(shard.make_room(95), (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  shard.eviction.insert(500, 500, 95, Place::small);
  EXPECT_EQ(shard.eviction.weight(), 995u);
  EXPECT_EQ(shard.fault(), "");
}

TEST(Eviction, LetsWhatIsCountedToTheEndInThoughManyMustLeaveForIt) {
  Shard shard(10'000, 2000);
  fill(shard, 0, 1000, 10, Place::small);
  shard.request(1500, 14);
  EXPECT_EQ(shard.eviction.admit(1500, 900).verdict, Verdict::less_popular);
  shard.request(1500);
  EXPECT_EQ(shard.eviction.admit(1500, 900).verdict, Verdict::enters);
}

TEST(Eviction, HoldsWhatIsCountedToTheEndAgainstEachVictim) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small, 15);
  shard.request(500, 15);
  EXPECT_EQ(shard.eviction.admit(500, 100).verdict, Verdict::less_popular);
}

TEST(Eviction, LetsWhatIsLargeInOnItsSecondRequestUnlessThereIsRoom) {
  Shard shard(1000, 1000);
  fill(shard, 10, 9, 100, Place::small, 0);
  shard.request(1);
  EXPECT_EQ(shard.eviction.admit(1, 101).verdict, Verdict::first_request);
  EXPECT_EQ(shard.eviction.admit(1, 100).verdict, Verdict::enters);
  shard.request(1);
  EXPECT_EQ(shard.eviction.admit(1, 101).verdict, Verdict::enters);
  Shard empty(1000, 1000);
  empty.request(1);
  const Admission admission = empty.eviction.admit(1, 101);
  EXPECT_EQ(admission.verdict, Verdict::enters);
  EXPECT_EQ(admission.place, Place::main);
}

TEST(Eviction, RefusesWhatExceedsTheCapacity) {
  Shard shard(1000, 1000);
  shard.request(1, 15);
  EXPECT_EQ(shard.eviction.admit(1, 1001).verdict, Verdict::exceeds_capacity);
  EXPECT_EQ(shard.eviction.admit(1, 1000).verdict, Verdict::enters);
}

TEST(Eviction, AsksForAVictimWhenNoRowIsFree) {
  Shard shard(1000, 10);
  fill(shard, 0, 10, 1, Place::small);
  shard.request(50);
  EXPECT_EQ(shard.eviction.admit(50, 1, false).verdict, Verdict::less_popular);
  shard.request(50);
  EXPECT_EQ(shard.eviction.admit(50, 1, false).verdict, Verdict::enters);
}

TEST(Eviction, PutsANewcomerWithAGhostStraightIntoMain) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small);
  shard.eviction.evict(3);
  shard.request(3);
  const Admission admission = shard.eviction.admit(3, 50);
  EXPECT_EQ(admission.place, Place::main);
  shard.eviction.insert(3, 3, 50, admission.place);
  shard.eviction.remove(3);
  EXPECT_EQ(shard.eviction.admit(3, 50).place, Place::small);   // its ghost went with its return
}

TEST(Eviction, RemembersARefusedNewcomerAsAGhost) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small);
  shard.request(50);
  ASSERT_EQ(shard.eviction.admit(50, 100).verdict, Verdict::less_popular);
  shard.request(50);
  const Admission admission = shard.eviction.admit(50, 100);
  EXPECT_EQ(admission.verdict, Verdict::enters);
  EXPECT_EQ(admission.place, Place::main);
}

TEST(Eviction, RemembersNoGhostOfWhatWasRemoved) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small);
  shard.eviction.remove(3);
  EXPECT_EQ(shard.eviction.admit(3, 100).place, Place::small);
  shard.eviction.remove(3);   // again: nothing
  EXPECT_EQ(shard.eviction.objects(), 9u);
  EXPECT_EQ(shard.fault(), "");
}

TEST(Eviction, MovesWhatWasUsedTwiceFromSmallToMain) {
  Shard shard(1000, 1000);
  fill(shard, 0, 10, 100, Place::small);
  shard.eviction.hit(0);
  shard.eviction.hit(1);
  shard.eviction.hit(1);
  EXPECT_EQ(shard.eviction.victim(), 0u);
  shard.eviction.evict(0);
  EXPECT_EQ(shard.eviction.victim(), 2u);
  EXPECT_EQ(shard.in(Place::main), (std::vector<uint32_t>{1}));
}

TEST(Eviction, SendsWhatWasUsedInMainRoundAgain) {
  Shard shard(1000, 1000);
  fill(shard, 0, 3, 100, Place::main);
  shard.eviction.hit(0);
  shard.eviction.hit(0);
  EXPECT_EQ(shard.eviction.victim(), 1u);
  EXPECT_EQ(shard.in(Place::main), (std::vector<uint32_t>{1, 2, 0}));
  EXPECT_EQ(shard.entries[0].uses, 1);
  shard.eviction.evict(1);
  shard.eviction.evict(2);
  EXPECT_EQ(shard.eviction.victim(), 0u);   // used or not, somebody leaves
  shard.eviction.evict(0);
  EXPECT_EQ(shard.eviction.victim(), std::nullopt);
}

TEST(Eviction, LooksAtABoundedNumberOfEntriesForAVictim) {
  Shard shard(10'000, 10'000);
  fill(shard, 0, 10'000, 1, Place::main);
  for (uint32_t row = 0; row < 10'000; ++row) shard.eviction.hit(row);
  EXPECT_EQ(shard.eviction.victim(), 64u);
}

TEST(Eviction, CountsNoMoreThanThreeUses) {
  Shard shard(1000, 10);
  fill(shard, 0, 1, 100, Place::main);
  for (int at = 0; at < 300; ++at) shard.eviction.hit(0);
  EXPECT_EQ(shard.entries[0].uses, 3);
}

TEST(Eviction, TakesALowerCapacityAtOnce) {
  Shard shard(1000, 1000);
  fill(shard, 0, 100, 10, Place::small);
  shard.eviction.set_capacity(305);
  EXPECT_FALSE(shard.eviction.fits(0));
  EXPECT_EQ(shard.make_room(0).size(), 70u);
  EXPECT_EQ(shard.eviction.weight(), 300u);
  shard.eviction.set_capacity(0);
  EXPECT_EQ(shard.make_room(0).size(), 30u);
  EXPECT_EQ(shard.eviction.objects(), 0u);
  shard.eviction.set_capacity(1000);
  EXPECT_TRUE(shard.eviction.fits(1000));
}

TEST(Eviction, FollowsAFillThatGrows) {
  Shard shard(1000, 1000);
  fill(shard, 0, 99, 10, Place::small);
  shard.eviction.insert(99, 99, 0, Place::small);
  shard.eviction.weight_changed(99, 400);
  EXPECT_EQ(shard.eviction.weight(), 1390u);
  EXPECT_FALSE(shard.eviction.fits(0));
  EXPECT_EQ(shard.make_room(0).size(), 39u);
  shard.eviction.weight_changed(99, 5);
  EXPECT_EQ(shard.eviction.weight(), 605u);
  shard.eviction.remove(99);
  shard.eviction.weight_changed(99, 7);   // in no queue: nothing
  EXPECT_EQ(shard.eviction.weight(), 600u);
  EXPECT_EQ(shard.fault(), "");
}

TEST(Eviction, WeighsIn64Bits) {
  const uint64_t tebibyte = 1ULL << 40;
  Shard shard(UINT64_MAX, 100);
  fill(shard, 0, 4, UINT64_MAX / 4, Place::main);
  EXPECT_EQ(shard.eviction.weight(), UINT64_MAX / 4 * 4);
  EXPECT_FALSE(shard.eviction.fits(4));
  EXPECT_TRUE(shard.eviction.fits(3));
  shard.request(50, 3);
  EXPECT_EQ(shard.eviction.admit(50, UINT64_MAX / 4 + 9).verdict, Verdict::enters);
  EXPECT_EQ(shard.make_room(UINT64_MAX / 4 + 9).size(), 2u);
  shard.eviction.weight_changed(3, 5 * tebibyte);
  EXPECT_EQ(shard.eviction.weight(), UINT64_MAX / 4 + 5 * tebibyte);
}

TEST(Eviction, LivesInRowsOfAnySize) {
  struct alignas(64) Row {
    char other[16];
    EvictionEntry entry;
  };
  std::vector<Row> rows(20);
  EvictionState state{};
  std::vector<uint64_t> ghosts(Ghosts::words(20));
  std::vector<std::atomic<uint64_t>> frequencies(Frequency::words(20));
  const EvictionMemory memory{&state, EntryRows(&rows[0].entry, sizeof(Row), 20), ghosts, frequencies};
  Eviction eviction(memory);
  eviction.reset(1000);
  for (uint32_t row = 0; row < 20; ++row) eviction.insert(row, row, 10, Place::small);
  Eviction elsewhere(memory);   // another process's view
  elsewhere.hit(7);
  EXPECT_EQ(rows[7].entry.uses, 1);
  EXPECT_EQ(elsewhere.victim(), 0u);
  EXPECT_EQ(elsewhere.weight(), 200u);
}

}   // namespace
}   // namespace proxyd::cache
