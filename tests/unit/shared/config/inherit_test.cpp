#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

// The one route of the one host, after what defaults, host and route say.
Route route_of(const std::string& defaults, const std::string& host, const std::string& route,
               const std::string& sections = "") {
  const std::string text = "version: 1\n" + sections + "upstreams: { u: {} }\ndefaults: { " + defaults +
                           " }\nhosts:\n  h:\n    names: [a.test]\n" + (host.empty() ? "" : "    " + host + "\n") +
                           "    routes:\n      - { name: r, upstream: u" + (route.empty() ? "" : ", " + route) + " }\n";
  const Decoded decoded = decode(text, Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << text << (decoded.valid() ? "" : decoded.problems.front().message);
  if (!decoded.valid()) return {};
  EXPECT_EQ(decode(to_yaml(decoded.canonical), Format::kYaml).document, decoded.document) << to_yaml(decoded.canonical);
  return decoded.document.hosts.at("h").routes.at(0);
}

TEST(Inheritance, WithoutAWordTheDefaultsHold) {
  EXPECT_EQ(route_of("", "", "").timeouts, Timeouts());
  EXPECT_EQ(route_of("", "", "").limits, Limits());
  EXPECT_EQ(route_of("", "", "").retry, std::nullopt);
}

TEST(Inheritance, TheInnerTimeoutWinsKeyByKey) {
  const Route route = route_of("timeouts: { connect: 1s, tunnel: 5m }", "timeouts: { connect: 3s, total: 1m }",
                               "timeouts: { total: off }");
  EXPECT_EQ(route.timeouts.connect, seconds(3));
  EXPECT_EQ(route.timeouts.tunnel, seconds(300));
  EXPECT_EQ(route.timeouts.total, std::nullopt);
}

TEST(Inheritance, AnInnerValueThatEqualsTheDefaultIsNotLost) {
  EXPECT_EQ(route_of("", "timeouts: { connect: 9s }", "timeouts: { connect: 2s }").timeouts.connect, seconds(2));
  EXPECT_EQ(route_of("limits: { header_count: 5 }", "limits: { header_count: 100 }", "").limits.header_count, 100u);
  EXPECT_EQ(route_of("timeouts: { total: 1m }", "timeouts: { total: off }", "").timeouts.total, std::nullopt);
}

TEST(Inheritance, NullDropsOneKeyOrAllOfThem) {
  EXPECT_EQ(route_of("timeouts: { connect: 9s }", "", "timeouts: { connect: null }").timeouts.connect, seconds(2));
  EXPECT_EQ(route_of("timeouts: { connect: 9s, total: 1m }", "timeouts: null", "").timeouts, Timeouts());
  EXPECT_EQ(route_of("limits: { request_body: 1MiB }", "", "limits: null").limits, Limits());
}

TEST(Inheritance, WhatIsNoListOfKeysIsReplacedAsAWhole) {
  const Route route = route_of("retry: { retries: 5, budget_percent: 50 }", "", "retry: { retries: 2 }");
  ASSERT_TRUE(route.retry);
  EXPECT_EQ(route.retry->retries, 2);
  EXPECT_EQ(route.retry->budget_percent, 20);
  EXPECT_EQ(route_of("", "rewrite: { add_prefix: /a }", "rewrite: { strip_prefix: /b }").rewrite->add_prefix,
            std::nullopt);
}

TEST(Inheritance, AccessListsAllApplyTheOuterFirstAndEachOnce) {
  const std::string lists = "access_lists: { a: { deny: [10.0.0.0/8] }, b: { allow: [192.0.2.1] }, c: {} }\n";
  using Names = std::vector<std::string>;
  EXPECT_EQ(route_of("access: a", "access: b", "access: c", lists).access, (Names{"a", "b", "c"}));
  EXPECT_EQ(route_of("access: a", "", "access: a", lists).access, Names{"a"});
  EXPECT_EQ(route_of("access: a", "access: null", "access: c", lists).access, Names{"c"});
  EXPECT_EQ(route_of("access: a", "access: b", "access: null", lists).access, Names());
}

TEST(Inheritance, RateLimitsAllApplyWhetherOneOrSeveralAreSaid) {
  const std::string limits = "rate_limits: { a: { rate: 1/s }, b: { rate: 2/m, burst: 5 }, c: { rate: 3/10s } }\n";
  using Names = std::vector<std::string>;
  EXPECT_EQ(route_of("rate_limit: a", "rate_limit: [b, a]", "rate_limit: c", limits).rate_limits,
            (Names{"a", "b", "c"}));
  EXPECT_EQ(route_of("rate_limit: a", "rate_limit: null", "", limits).rate_limits, Names());
}

TEST(Inheritance, ABandwidthIsReplacedAsAWhole) {
  const Route route = route_of("bandwidth: { rate: 1MiB/s, after: 0B }", "", "bandwidth: { rate: 512KiB/s }");
  EXPECT_EQ(route.bandwidth, (Bandwidth{512 * 1024, 10 * 1024 * 1024}));
  EXPECT_EQ(route_of("bandwidth: {}", "", "").bandwidth, Bandwidth());
  EXPECT_EQ(route_of("bandwidth: {}", "", "bandwidth: null").bandwidth, std::nullopt);
}

TEST(Inheritance, NullTakesBackARetryARewriteAndARawPath) {
  EXPECT_EQ(route_of("retry: { retries: 5 }", "", "retry: null").retry, std::nullopt);
  EXPECT_EQ(route_of("", "rewrite: { add_prefix: /a }", "rewrite: null").rewrite, std::nullopt);
  EXPECT_TRUE(route_of("raw_path: true", "", "").raw_path);
  EXPECT_FALSE(route_of("raw_path: true", "", "raw_path: false").raw_path);
  EXPECT_FALSE(route_of("raw_path: true", "raw_path: null", "").raw_path);
}

TEST(Inheritance, FieldEditsMergeByNameWhateverItsCase) {
  const Route route = route_of("headers: { response: { set: { X-A: outer, X-B: outer } } }", "",
                               "headers: { response: { set: { x-a: inner } } }");
  const std::map<std::string, FieldValue> expected = {{"X-B", {"outer"}}, {"x-a", {"inner"}}};
  EXPECT_EQ(route.headers.response.set, expected);
}

TEST(Inheritance, NullDropsOneFieldEditAListOfThemOrAll) {
  const std::string outer =
      "headers: { request: { set: { X-A: a, X-B: b }, remove: [X-C] }, response: { add: { X-D: d } } }";
  const Route one = route_of(outer, "", "headers: { request: { set: { X-A: null } } }");
  EXPECT_EQ(one.headers.request.set.size(), 1u);
  EXPECT_EQ(one.headers.request.set.count("X-B"), 1u);
  const Route list = route_of(outer, "", "headers: { request: { set: null, remove: null } }");
  EXPECT_TRUE(list.headers.request.set.empty());
  EXPECT_TRUE(list.headers.request.remove.empty());
  EXPECT_EQ(list.headers.response.add.size(), 1u);
  EXPECT_EQ(route_of(outer, "", "headers: null").headers, HeaderEdits());
}

TEST(Inheritance, AnInnerRemovalTakesAwayWhatAnOuterLevelSet) {
  const Route route =
      route_of("headers: { response: { set: { X-Powered-By: us, X-A: a }, default: { x-powered-with: it } } }", "",
               "headers: { response: { remove: [\"X-Powered-*\"] } }");
  EXPECT_EQ(route.headers.response.set.size(), 1u);
  EXPECT_TRUE(route.headers.response.if_absent.empty());
  EXPECT_EQ(route.headers.response.remove, std::vector<std::string>{"X-Powered-*"});
}

TEST(Inheritance, AHostsEditsHoldForAnswersThatNoRouteMade) {
  const Decoded decoded = decode(
      "version: 1\ndefaults: { headers: { response: { set: { X-A: a } } } }\nhosts: { h: { names: [a.test], headers: { "
      "response: { set: { X-B: b } } } } }\n",
      Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  EXPECT_EQ(decoded.document.headers.response.set.size(), 1u);
  EXPECT_EQ(decoded.document.hosts.at("h").headers.response.set.size(), 2u);
}

}   // namespace
}   // namespace proxyd::config
