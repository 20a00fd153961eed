#include "master/site_override.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

config::Document document() {
  config::Host host;
  host.name = "www";
  config::Route route;
  route.name = "v1";
  route.split = config::Split{.upstreams = {{"api", 95}, {"next", 5}}};
  host.routes.push_back(route);
  config::Document document;
  document.hosts["www"] = host;
  return document;
}

store::Override split(const std::string& value) { return {"route:www/v1:split", "split", value, "", "", "", ""}; }

TEST(SiteSubjects, are_what_they_are_spelled_as) {
  for (const char* text : {"host:www:maintenance", "route:www/v1:split", "route:a.b/c-d_e:split"}) {
    const auto subject = SiteSubject::parse(text);
    ASSERT_TRUE(subject) << text;
    EXPECT_EQ(subject->text(), text);
  }
  for (const char* text : {"", "host:maintenance", "host:www", "host:www:split", "route:www:split", "route:www/v1",
                           "target:app/one:admission", "workers"})
    EXPECT_FALSE(SiteSubject::parse(text)) << text;
}

TEST(SiteOverrides, are_of_what_the_document_names) {
  const SiteSubject host{"www", ""};
  const SiteSubject route{"www", "v1"};
  EXPECT_TRUE(is_site_named(host, {}, document()));
  EXPECT_FALSE(is_site_named({"other", ""}, {}, document()));
  EXPECT_TRUE(is_site_named(route, split("api=0"), document()));
  EXPECT_FALSE(is_site_named(route, split("api=0 next=0"), document()));
  EXPECT_FALSE(is_site_named(route, split("gone=1"), document()));
  EXPECT_FALSE(is_site_named(route, split("api"), document()));
  EXPECT_FALSE(is_site_named({"www", "v2"}, split("api=0"), document()));
}

TEST(SiteOverrides, travel_to_the_workers) {
  config::Materials materials;
  apply_site_override(materials, document(), split("api=50"));
  EXPECT_EQ(materials.shares, (std::map<std::string, Shares>{{"www/v1", {{"api", 50}, {"next", 5}}}}));
  apply_site_override(materials, document(),
                      {"host:www:maintenance", "maintenance", "", "", "", "", "2026-11-24T14:18:05.123Z"});
  EXPECT_EQ(materials.closed_hosts["www"].until_ms, 1795529885123);
  apply_site_override(materials, document(), {"host:www:maintenance", "maintenance", "", "", "", "", ""});
  EXPECT_EQ(materials.closed_hosts["www"].until_ms, 0);
}

TEST(SiteOverrides, keep_shares_as_text) {
  EXPECT_EQ(read_shares(text_of({{"a", 1}, {"b", 0}})), (Shares{{"a", 1}, {"b", 0}}));
  EXPECT_EQ(read_shares(""), Shares());
  for (const char* text : {"a", "a=", "a=x", "a=-1", "a=1x", "a=99999999999"}) EXPECT_FALSE(read_shares(text)) << text;
}

}   // namespace
}   // namespace proxyd::master
