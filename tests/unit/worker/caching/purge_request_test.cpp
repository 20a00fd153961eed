#include "worker/caching/purge_request.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "worker/http/list.h"

namespace proxyd::caching {
namespace {

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using Fault = PurgeRequest::Fault;

class PurgeNames : public testing::Test {
 protected:
  PurgeRequest read(std::string_view target, Lines lines = {}) {
    http::RequestHead head(arena_);
    head.method = http::Method::kPurge;
    head.target = http::parse_target(arena_.copy(target), http::Method::kPurge, arena_).value();
    for (const auto& [name, value] : lines) head.fields.add(name, value);
    return read_purge(head, settings);
  }
  // In a word, and what is named behind it.
  std::string named(std::string_view target, Lines lines = {}) {
    const PurgeRequest purge = read(target, lines);
    if (purge.fault != Fault::kNone) return purge.fault == Fault::kNoTags ? "no tags" : "too many tags";
    std::string text = purge.soft ? "soft " : "";
    switch (purge.subject) {
      case PurgeRequest::Subject::kUrl: return text + "url";
      case PurgeRequest::Subject::kHost: return text + "host";
      case PurgeRequest::Subject::kFolder:
        return text + "folder " + std::string(purge.folder) +
               (purge.folder == purge.raw_folder ? "" : " " + std::string(purge.raw_folder));
      case PurgeRequest::Subject::kTags:
      case PurgeRequest::Subject::kPaths: break;
    }
    for (const std::string_view expression : purge.expressions) text += "<" + std::string(expression) + ">";
    for (const std::string_view tag : purge.tags) text += "[" + std::string(tag) + "]";
    return text + (purge.with_host ? " host" : "");
  }

  config::Purge settings;

 private:
  http::Arena arena_;
};

TEST_F(PurgeNames, TheUrlWhenNothingElseIsSaid) {
  EXPECT_EQ(named("/a?b=1"), "url");
  EXPECT_EQ(named("/a", {{"X-Purge-Method", "default"}}), "url");
  EXPECT_EQ(named("/a.*", {{"X-Purge-Method", "exact"}}), "url");
  EXPECT_EQ(named("/a?.*"), "url");
}

TEST_F(PurgeNames, TagsAsTheirFieldDividesThem) {
  EXPECT_EQ(named("/a", {{"Surrogate-Key", "a b,c"}}), "[a][b,c]");
  EXPECT_EQ(named("/a", {{"cache-tag", "a b, c"}, {"XKEY", "d,e f"}}), "[a b][c][d][e][f]");
  EXPECT_EQ(named("/.*", {{"X-Cache-Tags", "a"}, {"X-Purge-Method", "regex"}}), "[a]");
}

TEST_F(PurgeNames, TagsInTheFieldsThatTheHostSays) {
  settings.tags = {"Cache-Tags"};
  EXPECT_EQ(named("/a", {{"Cache-Tags", "node:1 node:2"}}), "[node:1][node:2]");
  EXPECT_EQ(named("/a", {{"Surrogate-Key", "a"}}), "url");
}

TEST_F(PurgeNames, EachTagOfABundleThatABarDividesAndTheWholeOfIt) {
  EXPECT_EQ(named("/", {{"X-Cache-Tags", "node:1|node:2"}}), "[node:1|node:2][node:1][node:2]");
  EXPECT_EQ(named("/", {{"X-Cache-Tags", "||a|"}}), "[||a|][a]");
}

TEST_F(PurgeNames, WholeTagsOfAPattern) {
  const auto magento = [this](std::string_view pattern) { return named("/", {{"X-Magento-Tags-Pattern", pattern}}); };
  EXPECT_EQ(magento("((^|,)cat_p_1(,|$))"), "[cat_p_1]");
  EXPECT_EQ(magento("((^|,)cat_p_1(,|$))|((^|,)cat_p_2(,|$))"), "[cat_p_1][cat_p_2]");
  EXPECT_EQ(magento(" (^|,)a.b(,|$)|((^|,)c d(,|$)) "), "[a.b][c][d]");
  EXPECT_EQ(magento(".*"), " host");
  EXPECT_EQ(named("/", {{"X-Magento-Tags-Pattern", ".*"}, {"xkey", "a"}}), "[a] host");
  EXPECT_EQ(named("/", {{"X-Purge-Method", "tags"}, {"X-Cache-Tags-Pattern", "p-1|t-2"}}), "[p-1][t-2]");
  EXPECT_EQ(named("/", {{"X-Cache-Tags-Pattern", "(^|,)p-1(,|$)|t-2"}}), "[p-1][t-2]");
}

TEST_F(PurgeNames, AnExpressionOfTagsWhenItIsOfMoreThanWholeOnes) {
  for (const std::string_view pattern :
       {"cat_p_1", "|", "|((^|,)a(,|$))", "((^|,)a(,|$)", "(^|,)a", "(^|,)a(,|$))", "((^|,)(,|$))",
        "((^|,)cat_p_[0-9]+(,|$))", "((^|,)a|b(,|$))", "((^|,)a\\.b(,|$))", "((^|,)a(,|$))((^|,)b(,|$))", ".*|.*",
        "^.*", "((^|,) (,|$))"})
    EXPECT_EQ(named("/", {{"X-Magento-Tags-Pattern", pattern}}), "<" + std::string(http::trim(pattern)) + ">");
  EXPECT_EQ(named("/", {{"X-Cache-Tags-Pattern", "p-1|"}}), "<p-1|>[p-1]");
  EXPECT_EQ(named("/", {{"X-Magento-Tags-Pattern", "((^|,)a(,|$))|((^|,)b.*(,|$))"}}),
            "<((^|,)a(,|$))|((^|,)b.*(,|$))>[a]")
      << "whole tags before it are purged as such";
  EXPECT_EQ(named("/", {{"X-Cache-Tags-Pattern", "p-.+"}, {"xkey", "a"}}), "<p-.+>[a]");
  EXPECT_EQ(named("/", {{"X-Cache-Tags-Pattern", "p-.+"}, {"X-Magento-Tags-Pattern", ".*"}}), " host") << "is more";
}

TEST_F(PurgeNames, AFolderByAnExpressionWithAnOpenEnd) {
  EXPECT_EQ(named("/blog/2026/.*", {{"X-Purge-Method", "Regex"}}), "folder /blog/2026/");
  EXPECT_EQ(named("/blog/.*"), "folder /blog/");
  EXPECT_EQ(named("/a//b/../%7Ex/.*"), "folder /a/~x/ /a//b/../%7Ex/");
  EXPECT_EQ(named("http://a.test/blog/.*"), "folder /blog/");
  EXPECT_EQ(named("/blog/page.*", {{"X-Purge-Method", "regex"}}), "folder /blog/");
}

TEST_F(PurgeNames, TheHostByAnExpressionForAllOfIt) {
  EXPECT_EQ(named("/.*", {{"X-Purge-Method", "regex"}}), "host");
  EXPECT_EQ(named("/.*"), "host");
  EXPECT_EQ(named("/page.*", {{"X-Purge-Method", "regex"}}), "host");
}

TEST_F(PurgeNames, PathsByAnyOtherExpression) {
  for (const std::string_view target :
       {"/", "/blog/", "/blog/?.*", "/blog/[0-9]/.*", "/(a|b)/.*", "/blog/.*/.*", "/.*$", "/a.*?b", "/a.+"})
    EXPECT_EQ(named(target, {{"X-Purge-Method", "regex"}}), "<" + std::string(target) + ">");
  EXPECT_EQ(named("/(a|b)/.*"), "</(a|b)/.*>") << "for a folder it would be";
}

TEST_F(PurgeNames, PathsInEachSpellingThatMayBeMeant) {
  const auto regex = [this](std::string_view target) { return named(target, {{"X-Purge-Method", "regex"}}); };
  EXPECT_EQ(regex("/a.%2A"), "</a.%2A></a.*>");
  EXPECT_EQ(regex("/%7Ea/%5B0-9%5D+?b=%2F"), "</%7Ea/%5B0-9%5D+?b=%2F></~a/%5B0-9%5D+?b=%2F></~a/[0-9]+?b=/>");
  EXPECT_EQ(regex("/a//b[0-9]"), "</a//b[0-9]></a/b[0-9]>");
  EXPECT_EQ(regex("http://a.test/a[0-9]"), "</a[0-9]>");
  EXPECT_EQ(regex("/%C3%A9%0A%00[0-9]%25"), "</%C3%A9%0A%00[0-9]%25></%C3%A9%0A%00[0-9]%>");
}

TEST_F(PurgeNames, NothingWhereTagsAreMeantAndNoneIsThere) {
  EXPECT_EQ(named("/a", {{"Surrogate-Key", " "}}), "no tags");
  EXPECT_EQ(named("/a", {{"X-Cache-Tags", "||"}}), "[||]");
  EXPECT_EQ(named("/a", {{"X-Purge-Method", "tags"}}), "no tags");
  EXPECT_EQ(named("/a", {{"X-Magento-Tags-Pattern", " "}}), "no tags");
}

TEST_F(PurgeNames, NoMoreTagsThanOnePurgeWrites) {
  std::string tags;
  for (size_t i = 0; i < kMostPurgedTags; ++i) tags += "t" + std::to_string(i) + " ";
  EXPECT_EQ(read("/", {{"xkey", tags}}).tags.size(), kMostPurgedTags);
  EXPECT_EQ(named("/", {{"xkey", tags + "one"}}), "too many tags");
}

TEST_F(PurgeNames, TheMildWayWhenItIsAskedFor) {
  EXPECT_EQ(named("/a", {{"Fastly-Soft-Purge", "1"}}), "soft url");
  EXPECT_EQ(named("/a", {{"fastly-soft-purge", " 1 "}, {"xkey", "a"}}), "soft [a]");
  EXPECT_EQ(named("/a", {{"Fastly-Soft-Purge", "0"}}), "url");
}

TEST_F(PurgeNames, AFaultInWordsThatSayThatNothingHappened) {
  for (const Fault fault : {Fault::kNoTags, Fault::kTooManyTags})
    EXPECT_TRUE(explanation_of(fault).ends_with("nothing is purged"));
}

}   // namespace
}   // namespace proxyd::caching
