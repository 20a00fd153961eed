#include "shared/cache/cache.h"

#include <fcntl.h>

#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

using Outcome = FillLock::Outcome;

TEST_F(CacheTest, ServesToEveryWorkerWhatOneStored) {
  ASSERT_TRUE(store(*first_, "http://a/", "hello"));
  const Lookup found = second_->find("http://a/", second_->published(), 0);
  ASSERT_EQ(found.outcome, Lookup::Outcome::found);
  EXPECT_EQ(found.response.metadata(), "meta");
  EXPECT_EQ(found.response.section(), "Content-Type: text/plain\r\n");
  EXPECT_EQ(found.response.key(), "http://a/");
  EXPECT_EQ(found.response.length(), 5u);
  EXPECT_EQ(content_of(found.response), "hello");
  EXPECT_EQ(second_->find("http://b/", 0, 0).outcome, Lookup::Outcome::miss);
}

TEST_F(CacheTest, KeepsContentsOfEverySize) {
  for (const size_t size :
       {0u, 1u, 100u, 511u, 4096u, 16384u, 16385u, 20'000u, 65'536u, 100'000u, 300'000u, 1'000'003u, 5'000'000u}) {
    const std::string key = "size " + std::to_string(size);
    const std::string content = text_of(size);
    first_->find(key, 0, 0);
    first_->find(key, 0, 0);   // large ones enter when asked for again
    ASSERT_TRUE(store(*first_, key, content)) << size;
    const Lookup found = second_->find(key, 0, 0);
    ASSERT_EQ(found.outcome, Lookup::Outcome::found) << size;
    EXPECT_EQ(content_of(found.response), content) << size;
  }
  expect_sound();
}

TEST_F(CacheTest, KeepsContentsWhoseLengthNobodyKnew) {
  for (const size_t size : {0u, 10u, 5'000u, 70'000u, 3'000'000u}) {
    const std::string key = "chunked " + std::to_string(size);
    const std::string content = text_of(size);
    FillLock lock = first_->begin_fill(key, 0, 0);
    ASSERT_EQ(lock.outcome, Outcome::filler);
    ASSERT_EQ(lock.filler.set_head(Head{.section = "A: b\r\n"}), Written::ok);
    for (size_t at = 0; at < size; at += 1000) {
      const std::string_view piece = std::string_view(content).substr(at, 1000);
      ASSERT_EQ(lock.filler.append(piece), piece.size());
    }
    const StoredResponse response = lock.filler.response().share();
    ASSERT_TRUE(lock.filler.complete());
    EXPECT_EQ(response.length(), size);
    EXPECT_EQ(content_of(response), content);
  }
  expect_sound();
}

TEST_F(CacheTest, ReadsFromAnyOffsetOfALargeContent) {
  const std::string content = text_of(900'000);
  first_->find("k", 0, 0);
  first_->find("k", 0, 0);
  ASSERT_TRUE(store(*first_, "k", content));
  const Lookup found = first_->find("k", 0, 0);
  std::array<std::string_view, 1> range;
  for (const size_t offset : {0u, 1u, 65'535u, 65'536u, 500'000u, 200'000u, 899'999u}) {
    ASSERT_EQ(found.response.content(offset, range), 1u);
    EXPECT_EQ(range[0], std::string_view(content).substr(offset, range[0].size()));
  }
  EXPECT_EQ(found.response.content(900'000, range), 0u);
}

TEST_F(CacheTest, LetsOneFetchAndTheOthersFollow) {
  FillLock first = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(first.outcome, Outcome::filler);
  FillLock second = second_->begin_fill("k", 0, 0);
  ASSERT_EQ(second.outcome, Outcome::follow);
  EXPECT_FALSE(second.response.has_head());
  ASSERT_EQ(first.filler.set_head(Head{.section = "A: b\r\n", .length = 10}), Written::ok);
  EXPECT_EQ(second.response.section(), "A: b\r\n");
  EXPECT_EQ(first.filler.append("hello"), 5u);
  EXPECT_EQ(content_of(second.response), "hello");
  EXPECT_EQ(second.response.state(), State::filling);
  EXPECT_EQ(second_->find("k", 0, 0).response.filled(), 5u);
  EXPECT_EQ(first.filler.append("world and more"), 5u) << "never beyond its length";
  ASSERT_TRUE(first.filler.complete());
  EXPECT_EQ(second.response.state(), State::complete);
  EXPECT_EQ(content_of(second.response), "helloworld");
}

TEST_F(CacheTest, NeverCompletesWhatIsShort) {
  FillLock lock = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(lock.filler.set_head(Head{.length = 10}), Written::ok);
  lock.filler.append("hello");
  const StoredResponse follower = lock.filler.response().share();
  EXPECT_FALSE(lock.filler.complete());
  EXPECT_EQ(follower.state(), State::aborted);
  EXPECT_EQ(first_->find("k", 0, 0).outcome, Lookup::Outcome::miss);
}

TEST_F(CacheTest, AbortsAFillThatIsDropped) {
  {
    FillLock lock = first_->begin_fill("k", 0, 0);
  }
  EXPECT_EQ(first_->find("k", 0, 0).outcome, Lookup::Outcome::miss);
  EXPECT_EQ(first_->begin_fill("k", 0, 0).outcome, Outcome::filler);
  expect_sound();
}

TEST_F(CacheTest, RemembersForAWhileThatAKeyIsNotCacheable) {
  first_->begin_fill("k", 0, 0).filler.not_cacheable(1000);
  EXPECT_EQ(second_->find("k", 0, 999).outcome, Lookup::Outcome::pass);
  EXPECT_EQ(second_->begin_fill("k", 0, 999).outcome, Outcome::pass);
  const Lookup over = second_->find("k", 0, 1000);
  EXPECT_EQ(over.outcome, Lookup::Outcome::miss);
  EXPECT_FALSE(over.response) << "as if there had never been one";
  const Lookup pass = second_->find("k", 0, 999);
  EXPECT_EQ(second_->begin_fill("k", 0, 999, &pass.response).outcome, Outcome::filler) << "it proves cacheable";
}

TEST_F(CacheTest, APassSaysWhetherItIsForTheSizeOfTheContent) {
  first_->begin_fill("large", 0, 0).filler.not_cacheable(1000, Kind::too_large);
  first_->begin_fill("private", 0, 0).filler.not_cacheable(1000);
  EXPECT_EQ(second_->find("large", 0, 0).response.kind(), Kind::too_large);
  EXPECT_EQ(second_->begin_fill("large", 0, 0).response.kind(), Kind::too_large);
  EXPECT_EQ(second_->find("private", 0, 0).response.kind(), Kind::response);
  EXPECT_EQ(second_->begin_fill("large", 0, 1000).filler.response().kind(), Kind::response) << "which is another row";
}

TEST_F(CacheTest, KnowsWhetherAnybodyElseReadsARow) {
  ASSERT_TRUE(store(*first_, "k", "x"));
  const Lookup mine = first_->find("k", 0, 0);
  EXPECT_FALSE(first_->has_other_readers(mine.response));
  {
    const Lookup again = first_->find("k", 0, 0);
    EXPECT_TRUE(first_->has_other_readers(mine.response)) << "this worker, a second time";
  }
  EXPECT_FALSE(first_->has_other_readers(mine.response));
  {
    const Lookup other = second_->find("k", 0, 0);
    EXPECT_TRUE(first_->has_other_readers(mine.response));
  }
  EXPECT_FALSE(first_->has_other_readers(mine.response));
}

TEST_F(CacheTest, FreshensWithoutTouchingTheContentOrItsReaders) {
  for (const size_t size : {100u, 100'000u}) {
    const std::string key = "k" + std::to_string(size);
    const std::string content = text_of(size);
    ASSERT_TRUE(store(*first_, key, content));
    const Lookup reader = first_->find(key, 0, 0);
    const Lookup stale = second_->find(key, 0, 0);
    ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = "new", .section = "B: c\r\n"}, 0), Written::ok);
    EXPECT_EQ(reader.response.metadata(), "meta");
    EXPECT_TRUE(reader.response.progress().freshened);
    EXPECT_EQ(content_of(reader.response), content);
    const Lookup fresh = first_->find(key, 0, 0);
    EXPECT_EQ(fresh.response.metadata(), "new");
    EXPECT_EQ(fresh.response.section(), "B: c\r\n");
    EXPECT_EQ(content_of(fresh.response), content);
    EXPECT_EQ(fresh.response.index(), reader.response.index());
    EXPECT_EQ(second_->freshen(stale.response, Head{}, 0), Written::superseded) << "by a handle of the old head";
  }
  expect_sound();
}

TEST_F(CacheTest, FreesAnOldHeadWhenItsLastReaderIsGone) {
  ASSERT_TRUE(store(*first_, "k", text_of(50'000)));
  for (int i = 0; i < 100; ++i) {
    const Lookup stale = second_->find("k", 0, 0);
    ASSERT_EQ(second_->freshen(stale.response, Head{.metadata = std::to_string(i)}, 0), Written::ok) << i;
    for (int64_t now = 0; now < 50; now += 10) first_->tend(i * 100 + now);
  }
  EXPECT_EQ(first_->find("k", 0, 0).response.metadata(), "99");
  expect_sound();
}

TEST_F(CacheTest, LetsOneRevalidateForAll) {
  ASSERT_TRUE(store(*first_, "k", "old"));
  const Lookup stale = first_->find("k", 0, 0);
  Revalidation mine = first_->begin_revalidation(stale.response);
  ASSERT_TRUE(mine);
  EXPECT_FALSE(second_->begin_revalidation(second_->find("k", 0, 0).response));
  EXPECT_TRUE(stale.response.progress().held);
  FillLock lock = first_->begin_fill("k", 0, 0, &stale.response);
  ASSERT_EQ(lock.outcome, Outcome::filler);
  EXPECT_TRUE(stale.response.progress().dead);
  EXPECT_EQ(content_of(stale.response), "old") << "still read by whoever pinned it";
  ASSERT_EQ(lock.filler.set_head(Head{}), Written::ok);
  lock.filler.append("new");
  ASSERT_TRUE(lock.filler.complete());
  EXPECT_EQ(content_of(second_->find("k", 0, 0).response), "new");
}

TEST_F(CacheTest, TellsThoseWhoWaitHowAValidationEnded) {
  ASSERT_TRUE(store(*first_, "k", "old"));
  const Lookup waiting = second_->find("k", 0, 0);
  using Ends = std::pair<ClaimEnd, ClaimEnd>;   // as it is ended, and what is told
  for (const auto& [end, told] :
       {Ends{ClaimEnd::in_vain, ClaimEnd::once_in_vain}, Ends{ClaimEnd::in_vain, ClaimEnd::in_vain},
        Ends{ClaimEnd::in_vain, ClaimEnd::in_vain}, Ends{ClaimEnd::failed, ClaimEnd::failed},
        Ends{ClaimEnd::in_vain, ClaimEnd::once_in_vain}, Ends{ClaimEnd::open, ClaimEnd::open},
        Ends{ClaimEnd::in_vain, ClaimEnd::once_in_vain}}) {
    Revalidation claim = first_->begin_revalidation(waiting.response);
    ASSERT_TRUE(claim) << "however the last one ended";
    EXPECT_EQ(waiting.response.progress().claim_end, ClaimEnd::open) << "it may bring something yet";
    claim.end(end);
    EXPECT_FALSE(claim);
    EXPECT_FALSE(waiting.response.progress().held);
    EXPECT_FALSE(waiting.response.progress().orphaned);
    EXPECT_EQ(waiting.response.progress().claim_end, told);
  }
}

TEST_F(CacheTest, ForgetsThatValidationsWereInVainOnceOneSucceeds) {
  ASSERT_TRUE(store(*first_, "k", "old"));
  const Lookup stale = first_->find("k", 0, 0);
  for (int i = 0; i < 2; ++i) first_->begin_revalidation(stale.response).end(ClaimEnd::in_vain);
  ASSERT_EQ(stale.response.progress().claim_end, ClaimEnd::in_vain);
  ASSERT_EQ(second_->freshen(stale.response, Head{}, 0), Written::ok);
  EXPECT_EQ(second_->find("k", 0, 0).response.progress().claim_end, ClaimEnd::open);
}

TEST_F(CacheTest, WithdrawsThisObjectAndNoOtherOfItsKey) {
  ASSERT_TRUE(store(*first_, "k", "old"));
  const Lookup old = first_->find("k", 0, 0);
  ASSERT_TRUE(first_->withdraw(old.response));
  EXPECT_EQ(second_->find("k", 0, 0).outcome, Lookup::Outcome::miss);
  EXPECT_EQ(content_of(old.response), "old") << "still read by whoever pinned it";
  ASSERT_TRUE(store(*first_, "k", "new"));
  ASSERT_TRUE(first_->withdraw(old.response));
  EXPECT_EQ(content_of(second_->find("k", 0, 0).response), "new");
  EXPECT_EQ(first_->accounts().purged, 0u) << "nobody purged it";
}

TEST_F(CacheTest, IsNotAdoptedWithADamagedSuperblock) {
  const auto adopt = [this](uint64_t ceiling) {
    return static_cast<bool>(adopt_region(UniqueFd(::fcntl(region_.descriptor(), F_DUPFD_CLOEXEC, 3)), ceiling));
  };
  EXPECT_TRUE(adopt(kCeiling));
  Superblock& superblock = view_.superblock();
  superblock.ceiling = 2 * kCeiling;
  EXPECT_FALSE(adopt(kCeiling));
  superblock.ceiling = kCeiling;
  superblock.magic ^= 1;
  EXPECT_FALSE(adopt(kCeiling));
}

TEST_F(CacheTest, KeepsAVaryHeadAndItsList) {
  FillLock lock = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(lock.filler.set_head(Head{.kind = Kind::vary_head, .metadata = "accept-encoding"}), Written::ok);
  ASSERT_TRUE(lock.filler.complete());
  const Lookup head = second_->find("k", 0, 0);
  EXPECT_EQ(head.response.kind(), Kind::vary_head);
  EXPECT_EQ(head.response.metadata(), "accept-encoding");
}

TEST_F(CacheTest, WakesAFollowerThatSleeps) {
  FillLock first = first_->begin_fill("k", 0, 0);
  FillLock second = second_->begin_fill("k", 0, 0);
  const Progress before = second.response.progress();
  EXPECT_EQ(second.response.arm(), before);
  EXPECT_FALSE(second_->going_to_sleep());
  ASSERT_EQ(first.filler.set_head(Head{}), Written::ok);
  const auto sleepers = first_->take_wakes();
  EXPECT_EQ(sleepers.count(), 1u);
  EXPECT_TRUE(sleepers[1]);
  second_->awake();
  EXPECT_TRUE(second_->take_mail()[second.response.wait_number()]);
  EXPECT_TRUE(second_->take_mail().none());
  first.filler.append("x");
  EXPECT_TRUE(first_->take_wakes().none()) << "nobody armed again";
  second.response.arm();
  EXPECT_FALSE(second_->going_to_sleep());
  first.filler.append("x");
  first.filler.append("x");
  EXPECT_EQ(first_->take_wakes().count(), 1u);
  EXPECT_TRUE(second_->going_to_sleep()) << "mail is waiting";
}

TEST_F(CacheTest, FreesWhatIsDeadOnlyWhenNobodyReadsIt) {
  const std::string content = text_of(200'000);
  ASSERT_TRUE(store(*first_, "k", content));
  const uint64_t used = first_->accounts().used;
  {
    const Lookup reader = second_->find("k", 0, 0);
    ASSERT_TRUE(first_->drop("k"));
    EXPECT_EQ(first_->find("k", 0, 0).outcome, Lookup::Outcome::miss);
    for (int64_t now = 0; now < 1000; now += 10) first_->tend(now);
    EXPECT_EQ(first_->accounts().used, used);
    EXPECT_EQ(content_of(reader.response), content);
  }
  expect_sound();
  EXPECT_EQ(first_->accounts().used, 0u);
}

TEST_F(CacheTest, SweepsWhatIsExpired) {
  FillLock lock = first_->begin_fill("k", 0, 0);
  ASSERT_EQ(lock.filler.set_head(Head{.keep_until = 500}), Written::ok);
  ASSERT_TRUE(lock.filler.complete());
  first_->tend(400);
  EXPECT_EQ(first_->accounts().objects, 1u);
  for (int64_t now = 500; now < 2000; ++now) first_->tend(now);
  EXPECT_EQ(first_->accounts().objects, 0u);
  EXPECT_EQ(first_->accounts().expired, 1u);
}

TEST_F(CacheTest, WalksOverAllItHolds) {
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(store(*first_, "k" + std::to_string(i), "x"));
  size_t seen = 0;
  for (ObjectIndex cursor = 0;;) {
    const Cache::Step step = second_->walk(cursor, 100);
    seen += static_cast<bool>(step.response);
    if (step.next == 0) break;
    cursor = step.next;
  }
  EXPECT_EQ(seen, 1000u);
}

TEST_F(CacheTest, StaysWithinItsMemoryUnderMoreThanItHolds) {
  for (unsigned i = 0; i < 3000; ++i) {
    const std::string key = "k" + std::to_string(i);
    first_->find(key, 0, 0);
    store(*first_, key, text_of(1000 + (i * 7919) % 200'000, i));
    first_->tend(i);
  }
  const Accounts accounts = first_->accounts();
  EXPECT_LE(accounts.segments + accounts.fixed + accounts.rows, kCeiling);
  EXPECT_GT(accounts.stored, kCeiling / 2);
  EXPECT_GT(accounts.evicted + accounts.refused, 1000u);
  size_t checked = 0;
  for (unsigned i = 0; i < 3000; ++i) {
    const Lookup found = second_->find("k" + std::to_string(i), 0, 0);
    if (found.outcome != Lookup::Outcome::found) continue;
    EXPECT_EQ(content_of(found.response), text_of(1000 + (i * 7919) % 200'000, i));
    ++checked;
  }
  EXPECT_GT(checked, 100u);
  expect_sound();
}

TEST_F(CacheTest, ShrinksAndGivesPagesBack) {
  for (unsigned i = 0; i < 600; ++i) {
    store(*first_, "k" + std::to_string(i), text_of(60'000, i));
    first_->tend(i);
  }
  first_->limit_memory(16u << 20);
  for (int64_t now = 1000; now < 20'000; now += 6) first_->tend(now);
  EXPECT_LE(first_->accounts().segments, 16u << 20);
  EXPECT_GT(first_->accounts().objects, 10u);
  EXPECT_GT(first_->release_pages(1000), 10u);
  EXPECT_EQ(first_->release_pages(1000), 0u);
  first_->limit_memory(kCeiling);
  for (unsigned i = 0; i < 600; ++i) store(*first_, "again" + std::to_string(i), text_of(60'000, i));
  EXPECT_GT(first_->accounts().segments, 32u << 20);
  expect_sound();
}

TEST_F(CacheTest, ChangesFromManySmallToFewLargeWithoutCalcifying) {
  for (unsigned i = 0; i < 60'000; ++i) {
    store(*first_, "small" + std::to_string(i), "x");
    if (i % 16 == 0) first_->tend(i);
  }
  EXPECT_GT(first_->accounts().objects, 30'000u);
  unsigned stored = 0;
  for (unsigned i = 0; i < 2'000; ++i) {
    const std::string key = "large" + std::to_string(i % 500);
    if (first_->find(key, 0, 0).outcome == Lookup::Outcome::found) {
      ++stored;
      continue;
    }
    store(*first_, key, text_of(60'000, i));
    first_->tend(100'000 + i);
  }
  EXPECT_GT(stored, 300u);
  expect_sound();
}

TEST_F(CacheTest, ServesWithoutAPinOnlyAsAMiss) {
  std::vector<StoredResponse> held;
  for (uint32_t i = 0; i < kPins; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(store(*first_, key, "x"));
    held.push_back(std::move(second_->find(key, 0, 0).response));
    ASSERT_TRUE(held.back());
  }
  ASSERT_TRUE(store(*first_, "more", "x"));
  EXPECT_EQ(second_->find("more", 0, 0).outcome, Lookup::Outcome::unpinnable);
  EXPECT_EQ(second_->find("k7", 0, 0).outcome, Lookup::Outcome::found) << "pinned already";
  held.pop_back();
  EXPECT_EQ(second_->find("more", 0, 0).outcome, Lookup::Outcome::found);
}

}   // namespace
}   // namespace proxyd::cache
