#include "worker/proxy/stored/stored_head.h"

#include "tests/unit/shared/cache/cache_fixture.h"
#include "tests/unit/worker/caching/messages.h"

namespace proxyd::proxy {
namespace {

using caching::Freshness;

class StoredHead : public cache::CacheTest, public caching::Messages {
 protected:
  // A response with that head, stored whole and found again.
  cache::StoredResponse stored(const cache::Head& head) {
    cache::FillLock lock = first_->begin_fill("k", 0, 0);
    EXPECT_EQ(lock.filler.set_head(head), cache::Written::ok);
    EXPECT_TRUE(lock.filler.complete());
    return std::move(second_->find("k", 0, 0).response);
  }
  cache::StoredResponse part(caching::Lines lines) {
    const Freshness freshness{
        .lifetime = 60'000, .date = caching::kNowSeconds, .status = 206, .flags = Freshness::kPartial};
    const std::string section(section_of(fields(lines)));
    return stored({.metadata = metadata_of(freshness), .section = section, .length = 0});
  }
  bool answers(const cache::StoredResponse& stored, caching::Lines lines, std::string_view method = "GET") {
    return part_answers(stored, request(lines, method), caching::kNowSeconds);
  }
};

TEST_F(StoredHead, ListsVariantsAsACountTwoOctetsEachAndTheList) {
  const std::string one(metadata_with({{}, "accept, cookie"}, "key 1", arena()));
  EXPECT_EQ(one.size(), 1 + 2 + 14u);
  EXPECT_EQ(one[0], 1);
  EXPECT_EQ(one.substr(3), "accept, cookie");
  const std::string two(metadata_with({std::string_view(one).substr(1, 2), "accept"}, "key 2", arena()));
  EXPECT_EQ(two[0], 2);
  EXPECT_EQ(two.substr(1, 2), one.substr(1, 2));
  EXPECT_EQ(two.substr(5), "accept");
}

TEST_F(StoredHead, KnowsTheVariantsThatItLists) {
  std::string text;
  VaryHead list{{}, "accept"};
  for (size_t i = 0; i < kMostVariants; ++i) {
    text = metadata_with(list, "key " + std::to_string(i), arena());
    list = {std::string_view(text).substr(1, 2 * (i + 1)), "accept"};
  }
  const cache::StoredResponse found = stored({.kind = cache::Kind::vary_head, .metadata = text, .length = 0});
  const VaryHead read = vary_head_of(found);
  EXPECT_EQ(read.list, "accept");
  EXPECT_EQ(read.count(), kMostVariants);
  for (size_t i = 0; i < kMostVariants; ++i) EXPECT_TRUE(read.knows("key " + std::to_string(i))) << i;
  EXPECT_FALSE(read.knows("another"));
}

TEST_F(StoredHead, ReadsASectionAsItWasWritten) {
  const caching::Lines lines = {{"Content-Type", "text/plain"},
                                {"Set-Cookie", "a=b"},
                                {"Set-Cookie", "c=d"},
                                {"X-Empty", ""},
                                {"x_y", "\xC3\xBC"},
                                {"ETag", "\"a, b\""}};
  const std::string section(section_of(fields(lines)));
  EXPECT_TRUE(section.ends_with("ETag: \"a, b\"\r\n"));
  http::Fields read(arena());
  read_section(section, read);
  ASSERT_EQ(read.size(), lines.size());
  const http::Field* field = read.begin();
  for (const auto& [name, value] : lines) {
    EXPECT_EQ(field->name, name);
    EXPECT_EQ(field->value, value);
    ++field;
  }
  EXPECT_EQ(section_of(read), section);
  EXPECT_EQ(section_of(fields({})), "");
}

TEST_F(StoredHead, IsKeptAsLongAsItIsOfUse) {
  Freshness freshness{.response_time = 1000, .lifetime = 5000};
  EXPECT_EQ(keep_until(freshness), 6000) << "its lifetime";
  freshness.initial_age = 2000;
  EXPECT_EQ(keep_until(freshness), 4000) << "of which a part was over";
  freshness.initial_age = 9000;
  EXPECT_EQ(keep_until(freshness), 1000) << "or all, before it came";
  freshness.stale_if_error = 300;
  freshness.stale_while_revalidate = 700;
  EXPECT_EQ(keep_until(freshness), 1700) << "the longer of the two windows";
  freshness.flags = Freshness::kHasLastModified;
  EXPECT_EQ(keep_until(freshness), 1000 + 86'400'000) << "a day, to be validated";
  freshness.stale_if_error = 100'000'000;
  EXPECT_EQ(keep_until(freshness), 1000 + 100'000'000);
}

TEST_F(StoredHead, OfAPartAnswersWhatLiesWithinIt_Rfc9111_3_3) {
  const cache::StoredResponse five = part({{"Content-Range", "bytes 5-9/10"}, {"ETag", "\"a\""}});
  EXPECT_TRUE(answers(five, {{"Range", "bytes=6-7"}}));
  EXPECT_TRUE(answers(five, {{"Range", "bytes=-5"}, {"If-Range", "\"a\""}}));
  EXPECT_FALSE(answers(five, {{"Range", "bytes=-5"}, {"If-Range", "\"b\""}}));
  EXPECT_FALSE(answers(five, {{"Range", "bytes=4-7"}}));
  EXPECT_FALSE(answers(five, {}));
  EXPECT_FALSE(answers(five, {{"Range", "bytes=6-7"}}, "HEAD"));
  EXPECT_EQ(freshness_of(five).status, 206);
}

}   // namespace
}   // namespace proxyd::proxy
