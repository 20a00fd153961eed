#include "worker/proxy/variant_list.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/worker/caching/messages.h"
#include "tests/unit/worker/proxy/stored/worker_fixture.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

using caching::Reason;

class VariantListTest : public WorkerTest, public caching::Messages {
 protected:
  cache::StoredResponse head() { return std::move(cache_.find(primary_.text, 0, shared_.now()).response); }
  cache::Filler filler(std::string_view key) { return std::move(cache_.begin_fill(key, 0, shared_.now()).filler); }
  VariantList variants(const cache::StoredResponse& head) {
    return {shared_, head, primary_, 0, shared_.now() + 60'000};
  }
  VariantList::Place lock(std::string_view list, std::string_view value, cache::Filler filler = {}) {
    const cache::StoredResponse head = this->head();
    return variants(head && head.has_head() ? head : nothing_)
        .lock(list, fields({{"X-A", value}}), std::move(filler), nullptr);
  }

  bool covers(std::string_view list) {
    const cache::StoredResponse head = this->head();
    return variants(head).covers(list, arena());
  }

  const caching::CacheKey primary_{"http://a.test/a", 7, 15};
  const cache::StoredResponse nothing_;
};

TEST_F(VariantListTest, IsNoneWhereAnAnswerDoesNotVary) {
  const VariantList::Place place = lock("", "1");
  EXPECT_EQ(place.reason, Reason::kNone);
  EXPECT_TRUE(place.filler);
  EXPECT_EQ(place.key, primary_.text);
}

TEST_F(VariantListTest, LiesUnderThePrimaryKeyOnceAnAnswerVaries_Rfc9111_4_1) {
  const VariantList::Place place = lock("x-a", "1", filler(primary_.text));
  EXPECT_EQ(place.reason, Reason::kNone);
  EXPECT_EQ(place.filler.response().key(), place.key);
  EXPECT_TRUE(place.key.starts_with(primary_.text));
  EXPECT_GT(place.key.size(), primary_.text.size());
  const cache::StoredResponse list = head();
  ASSERT_EQ(list.kind(), cache::Kind::vary_head);
  EXPECT_EQ(vary_head_of(list).list, "x-a");
  EXPECT_TRUE(vary_head_of(list).knows(place.key));
  EXPECT_GE(list.keep_until(), shared_.now() + 3'600'000);
}

TEST_F(VariantListTest, NamesAllThatAnswersVaryBy) {
  (void)lock("x-a", "1");
  EXPECT_TRUE(covers("x-a"));
  EXPECT_FALSE(covers("x-b"));
  EXPECT_EQ(lock("x-b", "1").reason, Reason::kNone);
  const cache::StoredResponse list = head();
  EXPECT_EQ(vary_head_of(list).list, "x-a,x-b");
  EXPECT_TRUE(covers("x-b"));
}

TEST_F(VariantListTest, NotesEachVariantThatIsStored) {
  const VariantList::Place one = lock("x-a", "1");
  const VariantList::Place two = lock("x-a", "2");
  EXPECT_EQ(two.reason, Reason::kNone);
  EXPECT_NE(one.key, two.key);
  const cache::StoredResponse list = head();
  EXPECT_TRUE(vary_head_of(list).knows(one.key));
  EXPECT_TRUE(vary_head_of(list).knows(two.key));
}

TEST_F(VariantListTest, TakesNoMoreWhenItIsFullAndGivesTheRightBack) {
  for (size_t i = 0; i < kMostVariants; ++i) EXPECT_EQ(lock("x-a", std::to_string(i)).reason, Reason::kNone) << i;
  EXPECT_LE(head().keep_until(), shared_.now() + 600'000) << "then there is room for others";
  const VariantList::Place place = lock("x-a", "one more", filler("another"));
  EXPECT_EQ(place.reason, Reason::kVary);
  EXPECT_TRUE(place.filler);
}

TEST_F(VariantListTest, SaysThatItIsBusyWhereAnotherFillsTheSame) {
  const cache::Filler primary = filler(primary_.text);
  EXPECT_EQ(lock("", "1").reason, Reason::kBusy);
  EXPECT_EQ(lock("x-a", "1").reason, Reason::kBusy);
}

TEST_F(VariantListTest, SaysThatItIsBusyWhereAnotherFillsTheVariant) {
  const VariantList::Place other = lock("x-a", "1");
  EXPECT_EQ(lock("x-a", "1").reason, Reason::kBusy);
}

TEST_F(VariantListTest, StoresNothingByWhatIsTooLongForAKey) {
  EXPECT_EQ(lock("x-a", std::string(5000, 'x')).reason, Reason::kVaryTooLong);
}

}   // namespace
}   // namespace proxyd::proxy
