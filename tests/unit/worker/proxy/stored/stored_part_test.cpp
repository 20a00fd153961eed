#include "worker/proxy/stored/stored_part.h"

#include "tests/unit/shared/cache/cache_fixture.h"
#include "tests/unit/worker/caching/messages.h"
#include "worker/proxy/stored/stored_head.h"

namespace proxyd::proxy {
namespace {

class StoredPartTest : public cache::CacheTest, public caching::Messages {
 protected:
  // A 206 with those fields, stored whole and found again.
  StoredPart part(caching::Lines lines, std::string_view content) {
    const std::string section(section_of(fields(lines)));
    EXPECT_TRUE(store(*first_, "k", content, {}, section));
    return {std::move(second_->find("k", 0, 0).response), arena()};
  }
  StoredPart first_half() { return part({{"Content-Range", "bytes 0-4/10"}, {"ETag", "\"a\""}}, "01234"); }

  bool is_completed(const StoredPart& half, caching::Lines lines, http::ContentLength content, int status = 206) {
    http::ResponseHead answer = response(lines, status);
    answer.content = content;
    return half.is_completed_by(answer);
  }
  bool is_completed_by_range(const StoredPart& half, std::string_view range, std::string_view etag = "\"a\"") {
    return is_completed(half, {{"Content-Range", range}, {"ETag", etag}}, kFive);
  }
  static constexpr http::ContentLength kFive{http::ContentLength::Kind::kKnown, 5};
};

TEST_F(StoredPartTest, LacksWhatFollowsItUnderItsValidator_Rfc9111_3_3) {
  const StoredPart half = first_half();
  ASSERT_TRUE(half.rest().has_value());
  EXPECT_EQ(half.rest()->begin, 5u);
  EXPECT_EQ(half.rest()->complete, 10u);
  EXPECT_EQ(half.rest()->etag, "\"a\"");
}

TEST_F(StoredPartTest, OfALengthThatNobodyKnowsLacksTheRest_Rfc9110_14_4) {
  const StoredPart half = part({{"Content-Range", "bytes 0-4/*"}, {"ETag", "\"a\""}}, "01234");
  ASSERT_TRUE(half.rest().has_value());
  EXPECT_FALSE(half.rest()->complete.has_value());
}

TEST_F(StoredPartTest, ThatIsNoBeginningIsNotMadeWhole_Rfc9111_3_3) {
  EXPECT_FALSE(part({{"Content-Range", "bytes 1-5/10"}, {"ETag", "\"a\""}}, "12345").rest().has_value());
}

TEST_F(StoredPartTest, ThatLacksNothingIsNotMadeWhole_Rfc9111_3_3) {
  EXPECT_FALSE(part({{"Content-Range", "bytes 0-4/5"}, {"ETag", "\"a\""}}, "01234").rest().has_value());
}

TEST_F(StoredPartTest, WithoutAStrongValidatorIsNotMadeWhole_Rfc9111_3_4) {
  EXPECT_FALSE(part({{"Content-Range", "bytes 0-4/10"}, {"ETag", "W/\"a\""}}, "01234").rest().has_value());
}

TEST_F(StoredPartTest, WithoutAnyValidatorIsNotMadeWhole_Rfc9111_3_4) {
  EXPECT_FALSE(part({{"Content-Range", "bytes 0-4/10"}}, "01234").rest().has_value());
}

TEST_F(StoredPartTest, OfAnotherLengthThanItSaysIsNotMadeWhole) {
  EXPECT_FALSE(part({{"Content-Range", "bytes 0-4/10"}, {"ETag", "\"a\""}}, "0123").rest().has_value());
}

TEST_F(StoredPartTest, ThatSaysNoRangeIsNotMadeWhole) {
  EXPECT_FALSE(part({{"ETag", "\"a\""}}, "01234").rest().has_value());
}

TEST_F(StoredPartTest, IsCompletedByAllOfTheRestAlone_Rfc9110_15_3_7_3) {
  const StoredPart half = first_half();
  EXPECT_TRUE(is_completed_by_range(half, "bytes 5-9/10"));
  EXPECT_FALSE(is_completed_by_range(half, "bytes 6-9/10")) << "an octet would be missing";
  EXPECT_FALSE(is_completed_by_range(half, "bytes 4-9/10")) << "or twice";
  EXPECT_FALSE(is_completed_by_range(half, "bytes 5-8/10"));
  EXPECT_FALSE(is_completed_by_range(half, "bytes 5-9/11"));
  EXPECT_FALSE(is_completed_by_range(half, "bytes 5-9/10", "\"b\"")) << "of another content";
  EXPECT_FALSE(is_completed_by_range(half, "bytes 5-9/10", "W/\"a\""));
}

TEST_F(StoredPartTest, IsNotCompletedByAContentThatIsNotAsLongAsItsRange) {
  const StoredPart half = first_half();
  const caching::Lines rest = {{"Content-Range", "bytes 5-9/10"}, {"ETag", "\"a\""}};
  using Kind = http::ContentLength::Kind;
  EXPECT_FALSE(is_completed(half, rest, {Kind::kKnown, 4}));
  EXPECT_FALSE(is_completed(half, rest, {Kind::kUnknown}));
  EXPECT_FALSE(is_completed(half, rest, {}));
}

TEST_F(StoredPartTest, IsNotCompletedByAWholeContentOrAnError) {
  const StoredPart half = first_half();
  EXPECT_FALSE(is_completed(half, {{"ETag", "\"a\""}}, {http::ContentLength::Kind::kKnown, 10}, 200));
  EXPECT_FALSE(is_completed(half, {{"Content-Range", "bytes 5-9/10"}, {"ETag", "\"a\""}}, kFive, 200));
}

TEST_F(StoredPartTest, ThatCannotBeMadeWholeIsCompletedByNothing) {
  const StoredPart half = part({{"Content-Range", "bytes 0-4/10"}, {"ETag", "W/\"a\""}}, "01234");
  EXPECT_FALSE(is_completed_by_range(half, "bytes 5-9/10", "W/\"a\""));
}

TEST_F(StoredPartTest, IsTheBeginningOfWhatIsFilled) {
  for (const size_t size : {5u, 3'000'000u}) {   // in one piece, and in several
    const std::string content = text_of(size);
    const std::string key = "part " + std::to_string(size);
    ASSERT_TRUE(store(*first_, key, content));
    const StoredPart half(std::move(second_->find(key, 0, 0).response), arena());
    cache::FillLock lock = first_->begin_fill("whole " + key, 0, 0);
    ASSERT_EQ(lock.filler.set_head({.length = size + 4}), cache::Written::ok);
    ASSERT_TRUE(half.append_to(lock.filler));
    EXPECT_EQ(lock.filler.append("rest"), 4u);
    EXPECT_TRUE(lock.filler.complete());
    EXPECT_EQ(content_of(second_->find("whole " + key, 0, 0).response), content + "rest");
  }
}

TEST_F(StoredPartTest, SaysWhenThereIsNoRoomForIt) {
  ASSERT_TRUE(store(*first_, "part", text_of(100'000)));
  const StoredPart half(std::move(second_->find("part", 0, 0).response), arena());
  cache::FillLock lock = first_->begin_fill("whole", 0, 0);
  ASSERT_EQ(lock.filler.set_head({.length = 200'000}), cache::Written::ok);
  for (cache::SizeClass& one : view_.superblock().classes)
    ASSERT_NE(one.lock.acquire(), memory::RobustMutex::Outcome::busy);
  EXPECT_FALSE(half.append_to(lock.filler)) << "every class is locked";
  for (cache::SizeClass& one : view_.superblock().classes) one.lock.release();
}

}   // namespace
}   // namespace proxyd::proxy
