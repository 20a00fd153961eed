#include "master/admin/routes.h"

#include <gtest/gtest.h>

#include <set>

#include "master/admin/authentication.h"
#include "master/admin/open_api.h"
#include "master/admin/query.h"

namespace proxyd::admin {
namespace {

TEST(RouteTable, IsWhatTheOpenApiDocumentSays) {
  const Json document = open_api();
  for (const Route& route : routes()) {
    std::string method(route.method);
    for (char& c : method) c = static_cast<char>(c + 32);
    ASSERT_TRUE(document["paths"].contains(std::string(route.pattern))) << route.pattern;
    const Json& operation = document["paths"][std::string(route.pattern)][method];
    EXPECT_EQ(operation["responses"].size(), statuses_of(route).size()) << route.pattern;
    for (const int status : statuses_of(route))
      EXPECT_NE(operation["responses"][std::to_string(status)]["description"], "") << route.pattern << " " << status;
  }
}

TEST(RouteTable, HasEachLineOnceAndAScopeThatExists) {
  std::set<std::string> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.insert(std::string(route.method) + std::string(route.pattern)).second) << route.pattern;
    if (!route.scope.empty()) EXPECT_EQ(scopes_of(std::string(route.scope)).size(), 1u) << route.pattern;
    if (route.scope.empty()) EXPECT_TRUE(route.open || route.effect == Effect::kLogin) << route.pattern;
    if (route.effect == Effect::kChange)
      EXPECT_NE(std::find(route.query.begin(), route.query.end(), "dry_run"), route.query.end()) << route.pattern;
    if (route.method != "GET" && route.effect == Effect::kNone) EXPECT_EQ(route.scope, "read") << route.pattern;
  }
}

TEST(RouteTable, TakesAVerbForNoName) {
  EXPECT_EQ(find_route("POST", "/api/v1/upstreams/a/targets/t:drain").route->pattern,
            "/api/v1/upstreams/{u}/targets/{t}:drain");
  EXPECT_EQ(find_route("GET", "/api/v1/upstreams/a/targets/t:drain").route, nullptr);
  EXPECT_EQ(find_route("GET", "/api/v1/upstreams/a/targets/t:drain").other_methods,
            std::vector<std::string_view>{"POST"});
  EXPECT_EQ(find_route("PUT", "/api/v1/upstreams/a/targets/t:x").route, nullptr);
  EXPECT_EQ(find_route("GET", "/api/v1/upstreams/").route, nullptr);
  EXPECT_EQ(find_route("GET", "//api/v1/upstreams").route, nullptr);
  EXPECT_EQ(find_route("HEAD", "/api/v1/upstreams").route->method, "GET");
}

TEST(Roles, GrowFromViewerToAdmin) {
  std::vector<std::string> before;
  for (const char* role : {"viewer", "operator", "deployer", "admin"}) {
    const std::vector<std::string> scopes = scopes_of(role);
    for (const std::string& scope : before)
      EXPECT_NE(std::find(scopes.begin(), scopes.end(), scope), scopes.end()) << role << " " << scope;
    EXPECT_GT(scopes.size(), before.size());
    before = scopes;
  }
  EXPECT_TRUE(scopes_of("root").empty());
}

}   // namespace
}   // namespace proxyd::admin
