#include "shared/cache/bans.h"

#include "shared/cache/head_block.h"
#include "shared/cache/subjects.h"
#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

class BansTest : public CacheTest {
 protected:
  static constexpr std::array<std::string_view, 2> kTags{"one", "two"};

  StampList stamps(std::string_view url, bool tagged = false) {
    return stamps_of(first_->stamps(), url, std::span(kTags).first(tagged ? 2 : 0), false);
  }
  bool keep(std::string_view url, bool tagged = false) {
    const StampList list = stamps(url, tagged);
    return store(*first_, "http://" + std::string(url) + "\n@app", "x", list.stamps());
  }
  Purged purged(std::string_view url, Cache& cache) {
    const Lookup found = cache.find("http://" + std::string(url) + "\n@app", cache.published(), 0);
    EXPECT_EQ(found.outcome, Lookup::Outcome::found) << url;
    return found.purged;
  }
  Purged purged(std::string_view url) { return purged(url, *second_); }
  uint64_t ban(std::string_view expression, std::string_view host = "a.test", PurgeMode mode = PurgeMode::hard,
               BanKind kind = BanKind::path) {
    const std::array hosts{first_->stamps().stamp_of(StampKind::host, host)};
    return first_->bans().ban({kind, hosts, expression}, {}, mode).value_or(0);
  }
  uint32_t count() { return Bans::count(view_); }
};

TEST_F(BansTest, TakeWhatTheExpressionIsFoundInOnThatHostAndNothingElse) {
  for (const std::string_view url : {"a.test/p/1", "a.test/p/x", "a.test/q?id=1", "b.test/p/1", "a.test:81/p/1"})
    ASSERT_TRUE(keep(url));
  EXPECT_EQ(ban("/p/[0-9]+$|id=1"), 1u);
  EXPECT_EQ(purged("a.test/p/1"), Purged::hard);
  EXPECT_EQ(purged("a.test/p/1", *first_), Purged::hard) << "for all workers";
  EXPECT_EQ(purged("a.test/q?id=1"), Purged::hard);
  EXPECT_EQ(purged("a.test:81/p/1"), Purged::hard) << "a name without a port is of all ports";
  EXPECT_EQ(purged("a.test/p/x"), Purged::no);
  EXPECT_EQ(purged("b.test/p/1"), Purged::no);
}

TEST_F(BansTest, MatchThePathAndTheQueryAndNeitherTheHostNorWhatElseIsInTheKey) {
  ASSERT_TRUE(keep("a.test/x"));
  ban("a.test|app|http");
  EXPECT_EQ(purged("a.test/x"), Purged::no);
  ban("^/x$");
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
}

TEST_F(BansTest, AreComparedOnceWithWhatIsStaleByOneOfThem) {
  ASSERT_TRUE(keep("a.test/x"));
  const auto seen = [this] {
    const Lookup found = second_->find("http://a.test/x\n@app", second_->published(), 0);
    const BlockRef head = view_.object(found.response.index()).head.load();
    return view_.head(head)->bans_seen.load();
  };
  EXPECT_EQ(seen(), 0u);
  ban("x", "a.test", PurgeMode::soft);
  EXPECT_EQ(purged("a.test/x"), Purged::soft);
  EXPECT_EQ(seen(), 1u);
  ban("y");
  EXPECT_EQ(purged("a.test/x"), Purged::soft);
  EXPECT_EQ(seen(), 2u);
  ban("x");
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
}

TEST_F(BansTest, AHardOneThatGivesWayToTheSameSoftOneIsNotLost) {
  ASSERT_TRUE(keep("a.test/x"));
  ban("x");
  for (uint32_t i = 1; i < kMostBans; ++i) ban("y" + std::to_string(i));
  ban("x", "a.test", PurgeMode::soft);
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
}

TEST_F(BansTest, SpareWhatIsStoredAfter) {
  ASSERT_TRUE(keep("a.test/x"));
  ban("x");
  ASSERT_TRUE(keep("a.test/x")) << "what is banned is replaced by who asks next, though nobody has looked at it before";
  EXPECT_EQ(purged("a.test/x"), Purged::no);
  ban("y");
  EXPECT_EQ(purged("a.test/x"), Purged::no);
}

TEST_F(BansTest, AreNotOutrunByAFetchThatBeganBefore) {
  const std::string key = "http://a.test/x";
  FillLock fill = first_->begin_fill(key, first_->published(), 0);
  ban("x");
  FillLock follower = second_->begin_fill(key, second_->published(), 0);
  ASSERT_EQ(follower.outcome, FillLock::Outcome::follow);
  const StampList list = stamps("a.test/x");
  ASSERT_EQ(fill.filler.set_head(Head{.stamps = list.stamps(), .length = 1}), Written::ok);
  EXPECT_EQ(follower.response.purged(second_->published()), Purged::hard);
  EXPECT_EQ(second_->begin_fill(key, second_->published(), 0).outcome, FillLock::Outcome::filler);
  fill.filler.append("x");
  EXPECT_TRUE(fill.filler.complete());
}

TEST_F(BansTest, AreNotOutrunByAnAnswerThatFreshens) {
  const StampList list = stamps("a.test/x");
  const uint64_t before = second_->published();
  ASSERT_TRUE(keep("a.test/x"));
  const Lookup stale = second_->find("http://a.test/x\n@app", before, 0);
  ban("x", "a.test", PurgeMode::soft);
  ASSERT_EQ(second_->freshen(stale.response, Head{.stamps = list.stamps()}, before), Written::ok);
  EXPECT_EQ(purged("a.test/x"), Purged::soft) << "the 304 was asked for before the ban";
  const Lookup again = second_->find("http://a.test/x\n@app", second_->published(), 0);
  ASSERT_EQ(second_->freshen(again.response, Head{.stamps = list.stamps()}, second_->published()), Written::ok);
  EXPECT_EQ(purged("a.test/x"), Purged::no);
  const Lookup last = second_->find("http://a.test/x\n@app", second_->published(), 0);
  ban("x");
  EXPECT_EQ(second_->freshen(last.response, Head{.stamps = list.stamps()}, second_->published()), Written::superseded);
}

TEST_F(BansTest, OfTagsTakeWhateverOfTheHostHasOne) {
  ASSERT_TRUE(keep("a.test/d/tagged", true));
  ASSERT_TRUE(keep("a.test:81/tagged", true));
  ASSERT_TRUE(keep("a.test/d/plain"));
  ASSERT_TRUE(keep("a.test:81/plain"));
  ASSERT_TRUE(keep("b.test/tagged", true));
  ban("", "a.test", PurgeMode::hard, BanKind::tagged);
  EXPECT_EQ(purged("a.test/d/tagged"), Purged::hard);
  EXPECT_EQ(purged("a.test:81/tagged"), Purged::hard);
  for (const std::string_view url : {"a.test/d/plain", "a.test:81/plain", "b.test/tagged"})
    EXPECT_EQ(purged(url), Purged::no) << url;
}

TEST_F(BansTest, GoTogetherWithStampsOfOneSequence) {
  ASSERT_TRUE(keep("a.test/x"));
  ASSERT_TRUE(keep("b.test/tagged", true));
  const std::array hosts{first_->stamps().stamp_of(StampKind::host, "a.test")};
  const std::array tags{first_->stamps().stamp_of(StampKind::tag, "one")};
  EXPECT_EQ(first_->bans().ban({BanKind::path, hosts, "x"}, tags, PurgeMode::hard), 1u);
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
  EXPECT_EQ(purged("b.test/tagged"), Purged::hard);
}

TEST_F(BansTest, AHardOneIsStrongerThanASoftOneWhicheverCameFirst) {
  ASSERT_TRUE(keep("a.test/x"));
  ban("x", "a.test", PurgeMode::soft);
  EXPECT_EQ(purged("a.test/x"), Purged::soft);
  ban("x");
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
  EXPECT_EQ(count(), 1u) << "what is asked for again has a place";
  ban("x", "a.test", PurgeMode::soft);
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
  EXPECT_EQ(count(), 2u) << "a milder one is another";
}

TEST_F(BansTest, AskedForAgainTakesWhatWasStoredSince) {
  ASSERT_TRUE(keep("a.test/x"));
  ban("x");
  ASSERT_TRUE(keep("a.test/x"));
  EXPECT_EQ(purged("a.test/x"), Purged::no);
  ban("x");
  EXPECT_EQ(purged("a.test/x"), Purged::hard);
  EXPECT_EQ(count(), 1u);
}

TEST_F(BansTest, TheOldestGivesWayToItsWholeHostAsFarAsItReachedBack) {
  for (const std::string_view url : {"a.test/match", "a.test/seen", "a.test/unseen", "b.test/x"})
    ASSERT_TRUE(keep(url));
  ban("match");
  ASSERT_TRUE(keep("a.test/later"));
  EXPECT_EQ(purged("a.test/seen"), Purged::no);
  for (uint32_t i = 1; i < kMostBans; ++i) ban("none" + std::to_string(i), "b.test");
  EXPECT_EQ(count(), kMostBans);
  EXPECT_EQ(purged("a.test/seen"), Purged::no);
  ban("another", "b.test");
  EXPECT_EQ(count(), kMostBans);
  EXPECT_EQ(purged("a.test/match"), Purged::hard) << "never too little";
  EXPECT_EQ(purged("a.test/unseen"), Purged::hard) << "that it does not match is known no longer";
  EXPECT_EQ(purged("a.test/seen"), Purged::no) << "it was compared in time";
  EXPECT_EQ(purged("a.test/later"), Purged::no) << "it is younger than the ban";
  EXPECT_EQ(purged("b.test/x"), Purged::no);
}

TEST_F(BansTest, ASoftOneGivesWaySoftly) {
  ASSERT_TRUE(keep("a.test/match"));
  ban("match", "a.test", PurgeMode::soft);
  for (uint32_t i = 0; i < kMostBans; ++i) ban("none" + std::to_string(i), "b.test");
  EXPECT_EQ(purged("a.test/match"), Purged::soft);
}

TEST_F(BansTest, OneThatALaterPurgeCoversGoesBeforeTheOldest) {
  ASSERT_TRUE(keep("a.test/match"));
  ASSERT_TRUE(keep("a.test/unseen"));
  ban("match");
  for (uint32_t i = 2; i < kMostBans; ++i) ban("none" + std::to_string(i), "b.test");
  ban("covered", "c.test");
  const std::array covering{first_->stamps().stamp_of(StampKind::host, "c.test")};
  ASSERT_TRUE(first_->stamps().purge(covering, PurgeMode::hard));
  ban("another", "b.test");
  EXPECT_EQ(purged("a.test/match"), Purged::hard);
  EXPECT_EQ(purged("a.test/unseen"), Purged::no) << "the oldest is there yet";
  ban("yet another", "b.test");
  ASSERT_TRUE(keep("a.test/match"));
  EXPECT_EQ(purged("a.test/match"), Purged::no);
}

TEST_F(BansTest, BringMemoryBackByTheSweep) {
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(keep("a.test/" + std::to_string(i)));
  ban("/[0-9]*[02468]$");
  for (int64_t now = 0; now < 5000; ++now) first_->tend(now);
  EXPECT_EQ(first_->accounts().objects, 100u);
  EXPECT_EQ(first_->accounts().purged, 100u);
  expect_sound();
}

TEST_F(BansTest, OfExpressionsAsLongAsTheyMayBe) {
  ASSERT_TRUE(keep("a.test/" + std::string(kMostBanText - 1, 'y')));
  ASSERT_TRUE(keep("a.test/" + std::string(kMostBanText - 1, 'x')));
  ban("/" + std::string(kMostBanText - 1, 'x'));
  EXPECT_EQ(purged("a.test/" + std::string(kMostBanText - 1, 'x')), Purged::hard);
  EXPECT_EQ(purged("a.test/" + std::string(kMostBanText - 1, 'y')), Purged::no);
}

TEST_F(BansTest, OfAsManyHostsAsAnEntryHasPlacesFor) {
  std::array<uint32_t, kMostBanHosts> hosts;
  for (uint32_t i = 0; i < hosts.size(); ++i) {
    ASSERT_TRUE(keep(std::to_string(i) + ".test/x"));
    hosts[i] = first_->stamps().stamp_of(StampKind::host, std::to_string(i) + ".test");
  }
  std::sort(hosts.begin(), hosts.end());
  first_->bans().ban({BanKind::path, hosts, "x"}, {}, PurgeMode::hard);
  for (uint32_t i = 0; i < hosts.size(); ++i) EXPECT_EQ(purged(std::to_string(i) + ".test/x"), Purged::hard);
}

TEST(BanExpressionTest, SaysWhyItIsNone) {
  EXPECT_EQ(BanExpression("/a[0-9]+").fault(), "");
  EXPECT_EQ(BanExpression("/(a").fault(), "missing ): /(a");
  EXPECT_EQ(BanExpression("(?=a)").fault(), "invalid perl operator: (?=");
  EXPECT_EQ(BanExpression("\xff(").fault(), "missing ): ?(");
  EXPECT_NE(BanExpression("((a{1,100}){1,10}b{1,100}){1,9}").fault(), "") << "it would cost too much memory";
  EXPECT_TRUE(BanExpression("\xff").matches("/\xff")) << "octets";
}

}   // namespace
}   // namespace proxyd::cache
