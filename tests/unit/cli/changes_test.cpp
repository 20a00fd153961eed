#include "cli/changes.h"

#include <gtest/gtest.h>

namespace proxyd::cli {
namespace {

const Json kDocument = Json::parse(R"({
  "listeners": {"main": {}},
  "upstreams": {"a": {}, "b": {}, "c": {}, "d": {}},
  "hosts": {"h": {}}
})");

Json without(const char* section, std::initializer_list<const char*> names) {
  Json document = kDocument;
  for (const char* name : names) document[section].erase(name);
  return document;
}

std::string lost(const Json& to) { return loses_most(changes_between(kDocument, to), kDocument); }

TEST(LosesMost, IsMoreThanHalfOfHostsOrUpstreamsOrEveryListener) {
  EXPECT_EQ(lost(kDocument), "");
  EXPECT_EQ(lost(without("upstreams", {"a", "b"})), "");
  EXPECT_EQ(lost(without("upstreams", {"a", "b", "c"})), "this removes 3 of 4 upstreams");
  EXPECT_EQ(lost(without("hosts", {"h"})), "this removes 1 of 1 hosts");
  EXPECT_EQ(lost(without("listeners", {"main"})), "this leaves no listener");
  Json renamed = kDocument;
  renamed["listeners"] = {{"other", {{"address", ":1"}}}};
  EXPECT_EQ(lost(renamed), "");
}

TEST(Changes, TellRemovalsFirst) {
  Json to = without("upstreams", {"d"});
  to["hosts"]["i"] = {{"names", {"a.test"}}};
  const std::string text = render_changes(changes_between(kDocument, to), false);
  EXPECT_TRUE(text.starts_with("- /upstreams/d")) << text;
  EXPECT_NE(text.find("\n+ /hosts/i"), std::string::npos) << text;
}

TEST(Changes, NameWhoAddedWhatGoes) {
  Json changes = changes_between(kDocument, without("upstreams", {"d"}));
  changes[0]["added"] = {{"by", "unix:root"}, {"at", "2026-01-01T00:00:00.000Z"}, {"revision", 7}};
  EXPECT_EQ(render_removals(changes),
            "- /upstreams/d  (live; added by unix:root at 2026-01-01T00:00:00.000Z, revision 7)\n");
}

}   // namespace
}   // namespace proxyd::cli
