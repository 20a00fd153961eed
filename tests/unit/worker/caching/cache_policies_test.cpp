#include "worker/caching/cache_policies.h"

#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::caching {
namespace {

config::Document document_of(const std::string& rules) {
  const std::string text = "version: 1\ncache_policies: { p: { " + rules +
                           " } }\nupstreams: { u: {} }\nhosts: { h: { names: [a.test], routes: [ { name: on, upstream: "
                           "u, cache: p }, { name: off, match: { path: /off }, upstream: u } ] } }\n";
  config::Decoded decoded = config::decode(text, config::Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << text << (decoded.valid() ? "" : decoded.problems.front().message);
  return std::move(decoded.document);
}

Policy policy_of(const std::string& rules) {
  const config::Document document = document_of(rules);
  const CachePolicies policies(document);
  const Policy* policy = policies.of_route(document.hosts.at("h").routes.at(0));
  EXPECT_NE(policy, nullptr);
  return policy ? *policy : Policy();
}

std::string texts(const std::vector<NamePattern>& patterns) {
  std::string text;
  for (const auto& pattern : patterns) text += pattern.text + (pattern.is_prefix ? "*;" : ";");
  return text;
}

TEST(CachePolicies, AreOfTheRoutesThatNameThem) {
  const config::Document document = document_of("");
  const CachePolicies policies(document);
  EXPECT_NE(policies.of_route(document.hosts.at("h").routes.at(0)), nullptr);
  EXPECT_EQ(policies.of_route(document.hosts.at("h").routes.at(1)), nullptr);
}

TEST(CachePolicies, WithoutAWordAreThoseOfTheRules) {
  const Policy policy = policy_of("");
  const Policy expected;
  EXPECT_EQ(policy.methods, expected.methods);
  EXPECT_EQ(policy.default_ttl, expected.default_ttl);
  EXPECT_EQ(policy.min_ttl, expected.min_ttl);
  EXPECT_EQ(policy.max_ttl, expected.max_ttl);
  EXPECT_EQ(policy.heuristic, expected.heuristic);
  EXPECT_EQ(policy.key.query, expected.key.query);
  EXPECT_EQ(policy.store_set_cookie, expected.store_set_cookie);
  EXPECT_EQ(policy.range, expected.range);
  EXPECT_EQ(policy.stale_while_revalidate, expected.stale_while_revalidate);
  EXPECT_EQ(policy.stale_if_error, expected.stale_if_error);
  EXPECT_EQ(policy.collapse_timeout, expected.collapse_timeout);
  EXPECT_EQ(policy.targeted, expected.targeted);
  EXPECT_EQ(policy.tag_headers, expected.tag_headers);
  EXPECT_EQ(policy.expose_tags, expected.expose_tags);
  EXPECT_EQ(policy.max_object, expected.max_object);
  EXPECT_FALSE(policy.knows_cookies());
}

TEST(CachePolicies, CarryLifetimesInMilliseconds) {
  const Policy policy = policy_of(
      "default_ttl: { 200: 1m, 404: 0s }, min_ttl: 1s, max_ttl: 1d, stale_while_revalidate: 2s, stale_if_error: 3s, "
      "collapse: { timeout: 250ms }, heuristic: on");
  EXPECT_EQ(policy.default_ttl_of(200), 60'000);
  EXPECT_EQ(policy.default_ttl_of(404), 0);
  EXPECT_EQ(policy.default_ttl_of(301), std::nullopt);
  EXPECT_EQ(policy.min_ttl, 1000);
  EXPECT_EQ(policy.max_ttl, 86'400'000);
  EXPECT_EQ(policy.stale_while_revalidate, 2000);
  EXPECT_EQ(policy.stale_if_error, 3000);
  EXPECT_EQ(policy.collapse_timeout, 250);
  EXPECT_TRUE(policy.heuristic);
}

TEST(CachePolicies, CarryNamesAndPrefixes) {
  const Policy policy = policy_of(
      "key: { query: { except: [\"utm_*\", v] }, cookies: [b, \"a*\"] }, bypass: { cookies: [\"s*\"], headers: [X-A], "
      "query: [q], paths: [\"/cart*\", /exact] }");
  EXPECT_EQ(policy.key.query, KeyRules::Query::kExcept);
  EXPECT_EQ(texts(policy.key.parameters), "utm_*;v;");
  EXPECT_EQ(texts(policy.key.cookies), "a*;b;");
  EXPECT_EQ(texts(policy.bypass.cookies), "s*;");
  EXPECT_EQ(policy.bypass.headers, std::vector<std::string>{"X-A"});
  EXPECT_EQ(texts(policy.bypass.query), "q;");
  EXPECT_EQ(texts(policy.bypass.paths), "/cart*;/exact;");
  EXPECT_TRUE(policy.knows_cookies());
}

TEST(CachePolicies, ThatMeanTheSameMakeTheSameKeys) {
  const std::vector<std::string> expected = {"x-a", "x-b"};
  EXPECT_EQ(policy_of("key: { headers: [X-B, x-a, X-A] }").key.headers, expected);
}

TEST(CachePolicies, CarryEveryOtherRule) {
  const Policy policy = policy_of(
      "methods: [GET, POST], ignore: [Cache-Control, Pragma], ignore_cookies: true, store_set_cookie: strip, range: "
      "pass, "
      "targeted: [A-Cache-Control], tags: { headers: [X-T], expose: true }, max_object: 2MiB");
  EXPECT_TRUE(policy.has_method(http::Method::kPost));
  EXPECT_FALSE(policy.has_method(http::Method::kHead));
  EXPECT_TRUE(policy.ignore_cache_control && policy.ignore_pragma && policy.ignore_cookies);
  EXPECT_FALSE(policy.ignore_expires || policy.ignore_vary);
  EXPECT_EQ(policy.store_set_cookie, StoreSetCookie::kStrip);
  EXPECT_EQ(policy.range, RangeMode::kPass);
  EXPECT_EQ(policy.targeted, std::vector<std::string>{"A-Cache-Control"});
  EXPECT_EQ(policy.tag_headers, std::vector<std::string>{"X-T"});
  EXPECT_TRUE(policy.expose_tags);
  EXPECT_EQ(policy.max_object, 2u << 20);
  EXPECT_TRUE(policy_of("ignore: [Expires]").ignore_expires);
  EXPECT_TRUE(policy_of("ignore: [Vary]").ignore_vary);
}

}   // namespace
}   // namespace proxyd::caching
