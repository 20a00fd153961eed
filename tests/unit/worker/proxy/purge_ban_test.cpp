#include "worker/proxy/purge_ban.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

using Subject = caching::PurgeRequest::Subject;
using Texts = std::vector<std::string_view>;

caching::PurgeRequest naming(Subject subject, Texts expressions) {
  caching::PurgeRequest purge;
  purge.subject = subject;
  purge.expressions = std::move(expressions);
  return purge;
}
PurgeBan of_paths(Texts spellings) { return ban_of(naming(Subject::kPaths, std::move(spellings))).value(); }
PurgeBan of_tags(Texts expressions) { return ban_of(naming(Subject::kTags, std::move(expressions))).value(); }

TEST(PurgeBanTest, IsNoneWithoutAnExpression) {
  for (const Subject subject : {Subject::kUrl, Subject::kTags, Subject::kFolder, Subject::kHost})
    EXPECT_FALSE(ban_of(naming(subject, {})).has_value());
}

TEST(PurgeBanTest, OfPathsIsTheirExpressionAndHasNoHostsYet) {
  const PurgeBan ban = of_paths({"/a[0-9]"});
  EXPECT_EQ(ban.kind, cache::BanKind::path);
  EXPECT_EQ(ban.expression, "/a[0-9]");
  EXPECT_EQ(ban.fault, "");
  EXPECT_TRUE(ban.hosts.empty());
}

TEST(PurgeBanTest, OfPathsIsWhateverASpellingFinds) {
  const PurgeBan ban = of_paths({"/%7Ea|/b", "/~a|/b", "/~a|/[bc]"});
  EXPECT_EQ(ban.fault, "");
  const cache::BanExpression expression(ban.expression);
  for (const std::string_view path : {"/%7Ea", "/~a", "/b", "/c"}) EXPECT_TRUE(expression.matches(path)) << path;
  EXPECT_FALSE(expression.matches("/d"));
}

TEST(PurgeBanTest, LeavesOutASpellingThatIsNoExpression) {
  const PurgeBan ban = of_paths({"/a%28", "/a(", "/a%29?"});
  EXPECT_EQ(ban.expression, "(?:/a%28)|(?:/a%29?)");
  EXPECT_EQ(ban.fault, "");
}

TEST(PurgeBanTest, IsRefusedWhenWhatWasWrittenIsNone) {
  const PurgeBan ban = of_paths({"/a(", "/a"});
  EXPECT_NE(ban.fault.find("missing )"), std::string::npos) << ban.fault;
  EXPECT_TRUE(ban.fault.ends_with("nothing is purged"));
}

TEST(PurgeBanTest, HasRoomForSoManyOctetsInAllItsSpellings) {
  const std::string longest = "/" + std::string(cache::kMostBanText - 1, 'x');
  EXPECT_EQ(of_paths({longest}).fault, "");
  EXPECT_NE(of_paths({longest + "x"}).fault.find("1024 octets at most"), std::string::npos);
  const std::string half = "/" + std::string(cache::kMostBanText / 2, 'x');
  EXPECT_EQ(of_paths({half}).fault, "");
  EXPECT_NE(of_paths({half, half + "y"}).fault.find("1024 octets at most"), std::string::npos);
}

TEST(PurgeBanTest, IsNoLargerThanAnAutomatonOnceItsRepetitionsAreWrittenOut) {
  EXPECT_EQ(of_paths({"/x{900}"}).fault, "");
  EXPECT_NE(of_paths({"/(xy{99}){9}z{400}"}).fault.find("too large"), std::string::npos);
  const PurgeBan together = of_paths({"/x{700}", "/y{700}"});
  EXPECT_NE(together.fault.find("too large"), std::string::npos) << "each alone would do";
}

TEST(PurgeBanTest, OfTagsIsOnlyUnderstood) {
  const PurgeBan ban = of_tags({"cat_p_.*", "t-[0-9]"});
  EXPECT_EQ(ban.kind, cache::BanKind::tagged);
  EXPECT_EQ(ban.expression, "") << "it takes whatever has a tag";
  EXPECT_EQ(ban.fault, "");
  EXPECT_EQ(of_tags({std::string(2000, 'x')}).fault, "") << "it is not matched, however large";
}

TEST(PurgeBanTest, OfTagsIsRefusedForAnyThatIsNone) {
  EXPECT_NE(of_tags({"cat_p_.*", "t-("}).fault.find("missing )"), std::string::npos);
  EXPECT_NE(of_tags({"[", "t-("}).fault.find("missing ]"), std::string::npos) << "for the first of them";
}

}   // namespace
}   // namespace proxyd::proxy
