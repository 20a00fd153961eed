#include "shared/cache/subjects.h"

#include "tests/unit/shared/cache/cache_fixture.h"

namespace proxyd::cache {
namespace {

using Tags = std::vector<std::string_view>;

class SubjectsTest : public CacheTest {
 protected:
  // One secret for all runs: by one of chance some names share a stamp now and then.
  SubjectsTest() { view_.superblock().stamp_secret = {1, 2}; }

  StampList carried(std::string_view url, const Tags& tags = {}, bool more_tags = false) {
    return stamps_of(first_->stamps(), url, tags, more_tags);
  }
  // Whether a purge of what `add` puts into a list concerns an object of that URL and those tags.
  template <class Add>
  bool takes(Add add, std::string_view url, const Tags& tags = {}, bool more_tags = false) {
    PurgeList list(first_->stamps());
    add(list);
    const StampList has = carried(url, tags, more_tags);
    return std::any_of(list.words().begin(), list.words().end(), [&has](uint32_t word) {
      return std::find(has.stamps().begin(), has.stamps().end(), word) != has.stamps().end();
    });
  }
  static auto url(std::string_view text) {
    return [text](PurgeList& list) { list.add_url(text); };
  }
  static auto host(std::string_view text) {
    return [text](PurgeList& list) { list.add_host(text); };
  }
  static auto prefix(std::string_view text) {
    return [text](PurgeList& list) { list.add_prefix(text); };
  }
  static auto tag(std::string_view text) {
    return [text](PurgeList& list) { list.add_tag(text); };
  }
  static void all(PurgeList& list) { list.add_everything(); }
};

TEST_F(SubjectsTest, AUrlIsItselfAlone) {
  EXPECT_TRUE(takes(url("a.example/css/x?v=1"), "a.example/css/x?v=1"));
  EXPECT_FALSE(takes(url("a.example/css/x?v=1"), "a.example/css/x"));
  EXPECT_FALSE(takes(url("a.example/css/"), "a.example/css/x"));
}

TEST_F(SubjectsTest, AHostIsAllOfItsAuthorityAndANameWithoutAPortEveryPort) {
  EXPECT_TRUE(takes(host("a.example"), "a.example/css/x"));
  EXPECT_TRUE(takes(host("a.example"), "a.example:8080/"));
  EXPECT_TRUE(takes(host("a.example:8080"), "a.example:8080/"));
  EXPECT_FALSE(takes(host("a.example:8080"), "a.example/"));
  EXPECT_FALSE(takes(host("example"), "a.example/"));
  EXPECT_TRUE(takes(host("[::1]"), "[::1]:8080/x"));
  EXPECT_TRUE(takes(host("[::1]"), "[::1]/x"));
  EXPECT_FALSE(takes(host("[::"), "[::1]/x"));
}

TEST_F(SubjectsTest, APrefixIsTheFolderAndWhatIsBelowIt) {
  EXPECT_TRUE(takes(prefix("a.example/css/"), "a.example/css/x"));
  EXPECT_TRUE(takes(prefix("a.example/css/"), "a.example/css/"));
  EXPECT_TRUE(takes(prefix("a.example/css/"), "a.example/css/deep/er/x?y=/z/"));
  EXPECT_FALSE(takes(prefix("a.example/css/"), "a.example/css"));
  EXPECT_FALSE(takes(prefix("a.example/css/"), "a.example/css2/x"));
  EXPECT_FALSE(takes(prefix("a.example/css/"), "b.example/css/x"));
  EXPECT_FALSE(takes(prefix("a.example/css/"), "a.example/x?at=/css/"));
  EXPECT_TRUE(takes(prefix("a.example/"), "a.example/x")) << "the root is the host";
}

TEST_F(SubjectsTest, ADeeperPrefixIsItsAncestorOfDepthEight) {
  const std::string_view eight = "a.example/1/2/3/4/5/6/7/8/";
  EXPECT_TRUE(takes(prefix(eight), "a.example/1/2/3/4/5/6/7/8/x"));
  EXPECT_TRUE(takes(prefix("a.example/1/2/3/4/5/6/7/8/9/"), "a.example/1/2/3/4/5/6/7/8/9/x"));
  EXPECT_TRUE(takes(prefix("a.example/1/2/3/4/5/6/7/8/9/"), "a.example/1/2/3/4/5/6/7/8/other")) << "too much, not less";
  EXPECT_FALSE(takes(prefix("a.example/1/2/3/4/5/6/7/8/9/"), "a.example/1/2/3/4/5/6/7/other/x"));
}

TEST_F(SubjectsTest, ATagIsWhoeverCarriesItOrMoreThanAreKnown) {
  EXPECT_TRUE(takes(tag("red"), "a.example/", {"blue", "red"}));
  EXPECT_FALSE(takes(tag("Red"), "a.example/", {"blue", "red"}));
  EXPECT_FALSE(takes(tag("red"), "a.example/"));
  EXPECT_TRUE(takes(tag("red"), "a.example/", {"blue"}, true));
  std::vector<std::string> names;
  for (size_t i = 0; i <= kMostTagStamps; ++i) names.push_back("t" + std::to_string(i));
  Tags tags(names.begin(), names.end());
  EXPECT_TRUE(takes(tag("red"), "a.example/", tags));
  tags.pop_back();
  EXPECT_FALSE(takes(tag("red"), "a.example/", tags));
  EXPECT_TRUE(takes(tag("t127"), "a.example/", tags));
}

TEST_F(SubjectsTest, EverythingIsAll) {
  EXPECT_TRUE(takes(all, "a.example/"));
  EXPECT_TRUE(takes(all, "b.example:81/1/2/3?x", {"red"}));
}

TEST_F(SubjectsTest, TheFullestObjectHasRoomForItsStamps) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kMostTagStamps; ++i) names.push_back("t" + std::to_string(i));
  const StampList list = carried("a.example:8080/1/2/3/4/5/6/7/8/9/10/x?q", Tags(names.begin(), names.end()));
  EXPECT_EQ(list.stamps().size(), 1 + 2 + kPrefixDepth + kMostTagStamps + 1);
}

TEST_F(SubjectsTest, AListHasEachWordOnce) {
  PurgeList list(first_->stamps());
  for (int i = 0; i < 3; ++i) {
    list.add_tag("red");
    list.add_tag("blue");
    list.add_url("a.example/");
  }
  EXPECT_EQ(list.words().size(), 4u) << "two tags, any tag, one URL";
}

// What one process stores and another purges.
TEST_F(SubjectsTest, WhatIsPurgedIsWhatWasStored) {
  const Tags tags = {"red"};
  const StampList css = carried("a.example/css/x", tags);
  const StampList page = carried("a.example/page");
  ASSERT_TRUE(store(*first_, "http://a.example/css/x", "x", css.stamps()));
  ASSERT_TRUE(store(*first_, "http://a.example/page", "x", page.stamps()));
  PurgeList list(second_->stamps());
  list.add_prefix("a.example/css/");
  ASSERT_TRUE(second_->stamps().purge(list.words(), PurgeMode::hard));
  EXPECT_EQ(second_->find("http://a.example/css/x", second_->published(), 0).purged, Purged::hard);
  EXPECT_EQ(second_->find("http://a.example/page", second_->published(), 0).purged, Purged::no);
}

}   // namespace
}   // namespace proxyd::cache
