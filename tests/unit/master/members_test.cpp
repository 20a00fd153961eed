#include "master/members.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using config::Json;

Member member_of(const std::string& id, const Json& target) {
  DecodedMembers decoded = decode_members("app", {{"membership", "dynamic"}}, {{id, target}});
  EXPECT_TRUE(decoded.problems.empty());
  return decoded.members.at(id);
}

TEST(Members, AreDecodedAsTargetsOfADocumentAre) {
  const Member member = member_of("a", {{"address", "[::1]:80"}, {"weight", 100}, {"backup", true}});
  EXPECT_EQ(member.target, (config::Target{.id = "a", .address = "[::1]:80", .backup = true}));
  EXPECT_EQ(member.canonical, (Json{{"address", "[::1]:80"}, {"backup", true}}));
}

TEST(Members, FaultsPointIntoWhatWasGiven) {
  const DecodedMembers decoded = decode_members("app", {{"membership", "dynamic"}},
                                                {{"a", {{"address", "x"}}}, {"b", {{"address", "x:1"}, {"wait", 1}}}});
  ASSERT_EQ(decoded.problems.size(), 2u);
  EXPECT_EQ(decoded.problems[0].pointer, "/a/address");
  EXPECT_EQ(decoded.problems[1].pointer, "/b/wait");
  EXPECT_TRUE(decoded.members.empty());
}

TEST(Members, ComeBackFromTheStoreAsTheyWere) {
  Member member = member_of("a", {{"address", "app.test:80"}, {"max_connections", 7}});
  member.lease = milliseconds(90'000);
  member.version = 42;
  member.author = "unix:root";
  member.created = "2026-01-01T00:00:00.000Z";
  const store::DynamicTarget row = stored("app", member);
  EXPECT_FALSE(row.leaving);
  const auto again = restored(row, {{"membership", "dynamic"}});
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->is(member));
  EXPECT_EQ(again->version, 42u);
  EXPECT_EQ(again->author, "unix:root");
  EXPECT_FALSE(restored({.upstream = "app", .id = "a", .target = "nonsense"}, {{"membership", "dynamic"}}));
  EXPECT_FALSE(restored({.upstream = "app", .id = "a", .target = R"({"adress":"x:1"})"}, {{"membership", "dynamic"}}));
}

TEST(Members, TheStoreIsToldWhatChangedAlone) {
  Members before;
  for (const char* id : {"a", "b", "c", "d"}) before["app"][id] = member_of(id, {{"address", "x:1"}});
  Members after = before;
  after["app"].erase("a");
  after["app"]["b"].version = 7;
  after["app"]["c"].leaving = "why";
  after["new"]["e"] = member_of("e", {{"address", "x:1"}});
  const store::MembershipChange change = change_between(before, after);
  ASSERT_EQ(change.removed.size(), 1u);
  EXPECT_EQ(change.removed[0].id, "a");
  ASSERT_EQ(change.put.size(), 3u);
  EXPECT_EQ(change.put[0].id, "b");
  EXPECT_TRUE(change.put[1].leaving);
  EXPECT_EQ(change.put[2].upstream, "new");
}

TEST(Members, AreLeftBehindByAnUpstreamThatIsNotDynamicAnyMore) {
  Members members;
  for (const char* name : {"dynamic", "declared", "gone"}) members[name]["a"] = member_of("a", {{"address", "x:1"}});
  config::Document document;
  document.upstreams["dynamic"].membership = config::Membership::kDynamic;
  document.upstreams["declared"];
  EXPECT_EQ(left_behind(members, document), (std::vector<std::string>{"declared", "gone"}));
}

}   // namespace
}   // namespace proxyd::master
