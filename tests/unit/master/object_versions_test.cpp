#include "master/object_versions.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using config::Json;

TEST(ObjectVersions, RiseWithTheirOwnObjectAlone) {
  const Json first = Json::parse(
      R"({"hosts":{"www":{"routes":[{"name":"a","upstream":"app"},{"name":"b","upstream":"app"}]}},"upstreams":{"app":{"targets":{"one":{"address":"a:1"}}},"api":{}}})");
  Json second = first;
  second["upstreams"]["app"]["targets"]["one"]["weight"] = 50;
  second["hosts"]["www"]["routes"].erase(0);
  const ObjectVersions before = object_versions({}, Json(), first, 1);
  const ObjectVersions after = object_versions(before, first, second, 2);
  EXPECT_EQ(after.at("upstreams/app"), 2u);
  EXPECT_EQ(after.at("upstreams/app/targets/one"), 2u);
  EXPECT_EQ(after.at("upstreams/api"), 1u);
  EXPECT_EQ(after.at("hosts/www"), 2u);
  EXPECT_EQ(after.at("hosts/www/routes/b"), 1u);
  EXPECT_FALSE(after.contains("hosts/www/routes/a"));
}

TEST(ObjectVersions, AreThoseOfTheStoreAfterAStart) {
  const Json document = Json::parse(R"({"upstreams":{"app":{}}})");
  EXPECT_EQ(object_versions({{"upstreams/app", 3}, {"upstreams/gone", 4}}, document, document, 7),
            (ObjectVersions{{"upstreams/app", 3}}));
  EXPECT_EQ(object_versions({}, document, document, 7), (ObjectVersions{{"upstreams/app", 7}}));
}

}   // namespace
}   // namespace proxyd::master
