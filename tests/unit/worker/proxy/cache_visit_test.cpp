#include "worker/proxy/cache_visit.h"

#include "tests/unit/worker/proxy/client_exchange.h"
#include "tests/unit/worker/proxy/proxy_fixture.h"

namespace proxyd::proxy {
namespace {

using caching::Lines;
using caching::Reason;
using Next = CacheVisit::Next;
using Then = CacheVisit::Then;

// What a client asks for, and its visit to the cache.
class Asking {
 public:
  Asking(Proxy& proxy, Lines lines, std::string_view method, std::string_view path)
      : exchange_(lines, method, path), request_(proxy, exchange_) {
    request_.resolve();
    request_.matched = proxy.configuration()->matcher.find(request_.facts);
    const Configuration& configuration = *proxy.configuration();
    visit.emplace(request_, *configuration.route_policy[0], configuration.route_partitions[0][0]);
  }
  Then is_answered(Lines lines, int status = 200, std::string_view content = "content") {
    request_.ask_with(visit->begin_asking());
    response_.emplace(exchange_.response(lines, status));
    if (status != 304) response_->content = {http::ContentLength::Kind::kKnown, content.size()};
    return visit->take(*response_, request_.proxy.moment());
  }
  std::string asks_with(std::string_view field) {
    visit->begin_asking();
    return std::string(request_.fields_for_origin().combined(http::field_name_from(field)));
  }

 private:
  ClientExchange exchange_;
  Request request_;
  std::optional<http::ResponseHead> response_;

 public:
  std::optional<CacheVisit> visit;   // goes before its request
};

class Visits : public ProxyTest {
 protected:
  explicit Visits(std::string_view policy = "{}") : ProxyTest(policy) {}

  std::unique_ptr<Asking> get(Lines lines = {}) { return asking("GET", lines); }
  std::unique_ptr<Asking> asking(std::string_view method, Lines lines = {}) {
    return std::make_unique<Asking>(proxy_, lines, method, "/a");
  }
  // What the origin says is asked for and stored whole.
  void store(Lines answer, Lines lines = {}) {
    const auto first = get(lines);
    ASSERT_EQ(first->visit->look(), Next::kAskOrigin);
    ASSERT_EQ(first->is_answered(answer), Then::kServe);
    first->visit->begin_fill(incoming("content"), nullptr);
  }
  // Of what they ask for; its sequence.
  uint64_t purge() {
    cache::PurgeList list(cache_.stamps());
    list.add_url("a.test/a");
    return cache_.stamps().purge(list.words(), cache::PurgeMode::hard).value_or(0);
  }
  int64_t pass_ends_in(const Asking& asking) {
    const cache::Lookup found = cache_.find(asking.visit->key(), cache_.published(), shared_.now());
    return found.response ? found.response.keep_until() - shared_.now() : 0;
  }
  static constexpr std::pair<std::string_view, std::string_view> kFresh{"Cache-Control", "max-age=60"};
  static constexpr std::pair<std::string_view, std::string_view> kOld{"Age", "61"};
  static constexpr std::pair<std::string_view, std::string_view> kTag{"ETag", "\"a\""};
};

TEST_F(Visits, OfWhatIsNotThereMayFillItOneAtATime) {
  auto first = get();
  EXPECT_EQ(first->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(first->visit->owns());
  const auto second = get();
  EXPECT_EQ(second->visit->look(), Next::kWait);
  EXPECT_FALSE(second->visit->owns());
  first.reset();   // abandoned
  EXPECT_EQ(second->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(second->visit->owns());
}

TEST_F(Visits, ServeWhatIsFresh) {
  store({kFresh});
  const auto hit = get();
  EXPECT_EQ(hit->visit->look(), Next::kServe);
  EXPECT_TRUE(hit->visit->is_plain_hit());
  EXPECT_EQ(hit->visit->result(), CacheResult::kHit);
  EXPECT_EQ(hit->visit->stored().length(), 7u);
  EXPECT_EQ(hit->visit->status().ttl, 60);
  EXPECT_FALSE(hit->visit->owns());
  const auto head = asking("HEAD");
  EXPECT_EQ(head->visit->look(), Next::kServe) << "with what GET stored";
}

TEST_F(Visits, ThatStoreSayWhatTheyDid) {
  const auto miss = get();
  ASSERT_EQ(miss->visit->look(), Next::kAskOrigin);
  ASSERT_EQ(miss->is_answered({kFresh}), Then::kServe);
  EXPECT_TRUE(miss->visit->is_new());
  EXPECT_EQ(miss->visit->result(), CacheResult::kMiss);
  EXPECT_EQ(miss->visit->reason(), Reason::kMiss);
  EXPECT_TRUE(miss->visit->status().stored);
  EXPECT_EQ(miss->visit->status().forward_status, 200);
}

TEST_F(Visits, ValidateWhatIsStaleOneAtATime_Rfc9111_4_3_1) {
  store({kFresh, kOld, kTag});
  const auto first = get();
  EXPECT_EQ(first->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(first->visit->owns());
  EXPECT_EQ(first->visit->begin_asking()->value(http::FieldName::kIfNoneMatch), "\"a\"");
  const auto second = get();
  EXPECT_EQ(second->visit->look(), Next::kWait);
  EXPECT_EQ(first->is_answered({kFresh, kTag}, 304), Then::kServe);
  EXPECT_EQ(first->visit->result(), CacheResult::kValidated);
  EXPECT_EQ(first->visit->reason(), Reason::kStale);
  EXPECT_EQ(second->visit->look(), Next::kServe) << "it is fresh for all";
  EXPECT_EQ(second->visit->status().ttl, 60);
}

TEST_F(Visits, AskAgainWithoutAConditionWhenTheOriginSpeaksOfSomethingElse_Rfc9111_4_3_4) {
  store({kFresh, kOld, kTag});
  const auto one = get();
  ASSERT_EQ(one->visit->look(), Next::kAskOrigin);
  EXPECT_EQ(one->is_answered({kFresh, {"ETag", "\"b\""}}, 304), Then::kAskAgain);
  EXPECT_FALSE(one->visit->begin_asking()->has(http::FieldName::kIfNoneMatch));
  EXPECT_EQ(one->is_answered({kFresh, {"ETag", "\"b\""}}), Then::kServe);
  EXPECT_TRUE(one->visit->is_new());
}

TEST_F(Visits, ReleaseTheirClaimWhenThereIsNoAnswer) {
  store({kFresh, kOld, kTag});
  const auto first = get();
  ASSERT_EQ(first->visit->look(), Next::kAskOrigin);
  EXPECT_FALSE(first->visit->try_stale_if_error(true)) << "nothing allows that";
  const auto second = get();
  EXPECT_EQ(second->visit->look(), Next::kWait);
  first->visit->release_claims();
  EXPECT_EQ(second->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(second->visit->owns());
}

TEST_F(Visits, ThatGetNoAnswerLeaveAPassOfASecondInPlaceOfTheirFill) {
  const auto first = get();
  ASSERT_EQ(first->visit->look(), Next::kAskOrigin);
  EXPECT_FALSE(first->visit->try_stale_if_error(true));
  const auto second = get();
  EXPECT_EQ(second->visit->look(), Next::kAskOrigin) << "though the first has not gone";
  EXPECT_TRUE(second->visit->is_hit_for_miss());
  EXPECT_FALSE(second->visit->owns());
  EXPECT_EQ(pass_ends_in(*second), 1000);
}

TEST_F(Visits, ThatFindNoRoomLeaveAPassOfASecond) {
  const auto first = get();
  ASSERT_EQ(first->visit->look(), Next::kAskOrigin);
  const std::string large(20'000, 'x');   // a field that lies in a block of its own
  hold_classes();
  EXPECT_EQ(first->is_answered({kFresh, {"X-Large", large}}), Then::kRelay);
  release_classes();
  EXPECT_EQ(first->visit->reason(), Reason::kBusy);
  EXPECT_EQ(first->visit->result(), CacheResult::kPass);
  const auto second = get();
  EXPECT_EQ(second->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(second->visit->is_hit_for_miss());
  EXPECT_EQ(pass_ends_in(*second), 1000);
}

TEST_F(Visits, OfAnAnswerThatMayNotBeStoredLeaveAPassOfTwoMinutes) {
  const auto first = get();
  ASSERT_EQ(first->visit->look(), Next::kAskOrigin);
  EXPECT_EQ(first->is_answered({{"Cache-Control", "no-store"}}), Then::kRelay);
  EXPECT_EQ(first->visit->reason(), Reason::kNoStore);
  const auto second = get();
  EXPECT_EQ(second->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(second->visit->is_hit_for_miss());
  EXPECT_EQ(pass_ends_in(*second), 120'000);
}

TEST_F(Visits, ThroughAPassMayStoreAllTheSame) {
  auto first = get();
  ASSERT_EQ(first->visit->look(), Next::kAskOrigin);
  ASSERT_EQ(first->is_answered({{"Cache-Control", "no-store"}}), Then::kRelay);
  store({kFresh});
  EXPECT_EQ(get()->visit->look(), Next::kServe);
}

TEST_F(Visits, ServeWhatIsStaleInPlaceOfAnErrorWhereTheOriginAllowsIt_Rfc5861_4) {
  store({{"Cache-Control", "max-age=60, stale-if-error=60"}, kOld, kTag});
  const auto failed = get();
  ASSERT_EQ(failed->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(failed->visit->try_stale_if_error(true));
  EXPECT_TRUE(failed->visit->is_stale_if_error());
  EXPECT_EQ(failed->visit->result(), CacheResult::kStale);
  failed->visit->release_claims();
  const auto answered = get();
  ASSERT_EQ(answered->visit->look(), Next::kAskOrigin);
  EXPECT_EQ(answered->is_answered({}, 503), Then::kServe);
  EXPECT_TRUE(answered->visit->is_stale_if_error());
}

TEST_F(Visits, ServeWhatIsStaleWhileItIsValidatedWhereTheOriginAllowsIt_Rfc5861_3) {
  store({{"Cache-Control", "max-age=60, stale-while-revalidate=60"}, kOld, kTag});
  const auto stale = get();
  EXPECT_EQ(stale->visit->look(), Next::kServe);
  EXPECT_TRUE(stale->visit->wants_validation());
  EXPECT_EQ(stale->visit->result(), CacheResult::kStale);
  const auto behind = get();
  behind->visit->insist_on_validation();
  EXPECT_EQ(behind->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(behind->visit->owns());
}

TEST_F(Visits, OfVariantsFindTheirOwn_Rfc9111_4_1) {
  store({kFresh, {"Vary", "X-Kind"}}, {{"X-Kind", "1"}});
  EXPECT_EQ(get({{"X-Kind", "1"}})->visit->look(), Next::kServe);
  const auto other = get({{"X-Kind", "2"}});
  EXPECT_EQ(other->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(other->visit->owns());
  EXPECT_EQ(other->visit->reason(), Reason::kVaryMiss);
  EXPECT_EQ(get({{"X-Kind", "3"}})->visit->look(), Next::kAskOrigin) << "which is not waited for";
}

TEST_F(Visits, ThatMayNotAskTheOriginGetAGatewayTimeout_Rfc9111_5_2_1_7) {
  const Lines only = {{"Cache-Control", "only-if-cached"}};
  EXPECT_EQ(get(only)->visit->look(), Next::kGatewayTimeout);
  store({kFresh});
  EXPECT_EQ(get(only)->visit->look(), Next::kServe);
}

TEST_F(Visits, OfWhatTakesNoPartPassBy) {
  store({kFresh});
  const auto posted = asking("POST");
  EXPECT_EQ(posted->visit->look(), Next::kAskOrigin);
  EXPECT_EQ(posted->visit->result(), CacheResult::kBypass);
  EXPECT_EQ(posted->visit->begin_asking(), nullptr) << "the client's own";
  const auto secret = get({{"Cache-Control", "no-store"}, {"If-None-Match", "\"x\""}});
  EXPECT_EQ(secret->visit->look(), Next::kServe) << "it may be answered from what others stored";
}

TEST_F(Visits, ThatWantNothingStoredFillNothing_Rfc9111_5_2_1_5) {
  const auto secret = get({{"Cache-Control", "no-store"}});
  EXPECT_EQ(secret->visit->look(), Next::kAskOrigin);
  EXPECT_FALSE(secret->visit->owns());
  EXPECT_EQ(secret->is_answered({kFresh}), Then::kRelay);
  EXPECT_EQ(get()->visit->look(), Next::kAskOrigin);
}

TEST_F(Visits, AfterAPurgeAreNotServedWhatWasAskedForBeforeIt) {
  const auto before = get();
  ASSERT_EQ(before->visit->look(), Next::kAskOrigin);
  purge();
  ASSERT_EQ(before->is_answered({kFresh}), Then::kServe);
  before->visit->begin_fill(incoming("content"), nullptr);
  const auto after = get();
  EXPECT_EQ(after->visit->look(), Next::kAskOrigin);
  EXPECT_TRUE(after->visit->owns());
}

class VisitsOfPost : public Visits {
 protected:
  VisitsOfPost() : Visits(R"({"methods": ["GET", "HEAD", "POST"]})") {}
  void answer(Asking& asking) {
    ASSERT_EQ(asking.is_answered({kFresh, {"Content-Location", "/a"}}), Then::kServe);
    asking.visit->begin_fill(incoming("content"), nullptr);
  }
};

TEST_F(VisitsOfPost, StoreTheirAnswerThoughItMadeItsUrlInvalid_Rfc9111_4_4) {
  const auto posted = asking("POST");
  ASSERT_EQ(posted->visit->look(), Next::kAskOrigin);
  posted->visit->note_own_purge(purge());
  answer(*posted);
  EXPECT_EQ(get()->visit->look(), Next::kServe);
}

TEST_F(VisitsOfPost, AreNotServedWhenOthersPurgedMeanwhile) {
  const auto posted = asking("POST");
  ASSERT_EQ(posted->visit->look(), Next::kAskOrigin);
  purge();
  posted->visit->note_own_purge(purge());
  answer(*posted);
  EXPECT_EQ(get()->visit->look(), Next::kAskOrigin);
}

}   // namespace
}   // namespace proxyd::proxy
