#include "worker/routing/matcher.h"

#include <gtest/gtest.h>

#include <map>

#include "shared/config/decode.h"
#include "worker/routing/client.h"

namespace proxyd::routing {
namespace {

constexpr const char* kDocument = R"(
version: 1
listeners: { l: { address: ":1" }, other: { address: ":2" } }
upstreams: { a: {}, b: {} }
hosts:
  www:
    names: [www.test, "*.shop.test"]
    routes:
      - { name: exact, match: { path: /a }, upstream: a }
      - { name: regex, match: { path_regex: "^/v([0-9])/(.*)$" }, rewrite: { path: "/{2}/{1}" }, upstream: a }
      - { name: post, match: { path_prefix: /api, methods: [POST] }, upstream: a }
      - { name: api, match: { path_prefix: /api }, rewrite: { strip_prefix: /api }, upstream: a }
      - { name: deep, match: { path_prefix: /api/deep }, upstream: a }
      - { name: cookie, match: { cookie: { session: "*" } }, upstream: a }
      - { name: rest, split: { upstreams: { a: 90, b: 10 }, by: "query:u" } }
  first:
    names: [first.test]
    first_match: true
    routes: [ { name: one, match: { path_prefix: / }, upstream: a }, { name: two, match: { path: /x }, upstream: a } ]
  only: { names: [only.test], listeners: [other], routes: [ { name: all, upstream: a } ] }
)";

class Matching : public testing::Test {
 protected:
  Matching() : decoded_(config::decode(kDocument, config::Format::kYaml)), matcher_(decoded_.document, {}) {
    EXPECT_TRUE(decoded_.valid());
  }

  std::string route(const std::string& host, const std::string& path, const std::string& method = "GET",
                    const std::string& cookie = "") {
    head_.fields.clear();
    head_.method_text = arena_.copy(method);
    head_.target = http::parse_target(arena_.copy(path), http::Method::kGet, arena_).value();
    if (!cookie.empty()) head_.fields.add("Cookie", arena_.copy(cookie));
    facts_ = RequestFacts{};
    facts_.head = &head_;
    facts_.listener = "l";
    facts_.host = arena_.copy(host);
    matched_ = matcher_.find(facts_);
    if (!matched_.host) return "no host";
    return matched_.route ? matched_.route->settings.name : "no route";
  }

  config::Decoded decoded_;
  Matcher matcher_;
  http::Arena arena_;
  http::RequestHead head_{arena_};
  RequestFacts facts_;
  Matched matched_;
};

TEST_F(Matching, PrefersExactThenRegexThenTheLongestPrefix) {
  EXPECT_EQ(route("www.test", "/a"), "exact");
  EXPECT_EQ(route("www.test", "/v1/x"), "regex");
  EXPECT_EQ(route("www.test", "/api/deep/x"), "deep");
  EXPECT_EQ(route("www.test", "/api/x"), "api");
}

TEST_F(Matching, TakesPrefixesByWholeSegments) {
  EXPECT_EQ(route("www.test", "/api"), "api");
  EXPECT_EQ(route("www.test", "/apiary"), "rest");
}

TEST_F(Matching, TriesTheNextCandidateWhenAConditionFails) {
  EXPECT_EQ(route("www.test", "/api/x", "POST"), "post");
  EXPECT_EQ(route("www.test", "/other", "GET", "session=1"), "cookie");
  EXPECT_EQ(route("www.test", "/other", "GET", "other=1"), "rest");
}

TEST_F(Matching, TakesWildcardsAtAnyDepthButNeverTheBareName) {
  EXPECT_EQ(route("x.y.shop.test", "/a"), "exact");
  EXPECT_EQ(route("shop.test", "/a"), "no host");
}

TEST_F(Matching, GoesByFileOrderWithFirstMatch) { EXPECT_EQ(route("first.test", "/x"), "one"); }

TEST_F(Matching, KeepsHostsToTheirListeners) { EXPECT_EQ(route("only.test", "/"), "no host"); }

TEST_F(Matching, RewritesWithCapturesAndStripsWholeSegments) {
  route("www.test", "/v1/x/y");
  EXPECT_EQ(matched_.route->rewrite->apply(head_.target.path, facts_, arena_), "/x/y/1");
  route("www.test", "/api/x");
  EXPECT_EQ(matched_.route->rewrite->apply(head_.target.path, facts_, arena_), "/x");
}

TEST_F(Matching, SplitsByShareAndAGrowingShareKeepsItsMembers) {
  const Split before({{{"a", 90}, {"b", 10}}, "query:u"});
  const Split after({{{"a", 90}, {"b", 30}}, "query:u"});
  const auto all = [](size_t) { return true; };
  std::map<size_t, int> drawn;
  for (int i = 0; i < 20000; ++i) {
    route("www.test", "/?u=" + std::to_string(i));
    const size_t first = before.draw(facts_, all);
    ++drawn[first];
    if (first == 1) {
      EXPECT_EQ(after.draw(facts_, all), 1u);
    }
    if (i % 1000 == 0) arena_.reset();
  }
  EXPECT_NEAR(drawn[1] / 20000.0, 0.1, 0.01);
}

TEST(Client, IsTheRightmostAddressThatIsNotTrusted) {
  http::Arena arena;
  http::RequestHead head(arena);
  head.fields.add("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.0.0.2");
  head.fields.add("X-Forwarded-Proto", "https");
  const config::CidrList trusted({"10.0.0.0/8"});
  const auto peer = config::parse_mapped_address("10.0.0.1").value();
  const Client client = resolve_client(peer, "10.0.0.1", http::Scheme::kHttp, head, trusted);
  EXPECT_EQ(client.text, "203.0.113.9");
  EXPECT_EQ(client.scheme, http::Scheme::kHttps);
  const auto stranger = config::parse_mapped_address("192.0.2.1").value();
  EXPECT_EQ(resolve_client(stranger, "192.0.2.1", http::Scheme::kHttp, head, trusted).text, "192.0.2.1");
}

TEST(Client, IsNotWhatAStrangerWroteIntoForwardedWhereTheProxySetsTheOtherField) {
  http::Arena arena;
  http::RequestHead head(arena);
  head.fields.add("Forwarded", "for=10.6.6.6;proto=https;host=evil.test");
  head.fields.add("X-Forwarded-For", "203.0.113.9");
  head.fields.add("X-Forwarded-Proto", "http");
  const config::CidrList trusted({"10.0.0.0/8"});
  const auto peer = config::parse_mapped_address("10.0.0.1").value();
  const Client client = resolve_client(peer, "10.0.0.1", http::Scheme::kHttp, head, trusted);
  EXPECT_EQ(client.text, "203.0.113.9");
  EXPECT_EQ(client.scheme, http::Scheme::kHttp);
}

TEST(Client, IsReadFromForwardedWithQuotesPortsAndBrackets) {
  http::Arena arena;
  http::RequestHead head(arena);
  head.fields.add("Forwarded",
                  "for=unknown, for=\"[2001:db8::7]:4711\";proto=https;host=\"www.test:8443\", "
                  "for=10.0.0.9;proto=https;host=\"www.test:8443\"");
  const config::CidrList trusted({"10.0.0.0/8"});
  const auto peer = config::parse_mapped_address("10.0.0.1").value();
  const Client client = resolve_client(peer, "10.0.0.1", http::Scheme::kHttp, head, trusted);
  EXPECT_EQ(client.text, "2001:db8::7");
  EXPECT_EQ(client.scheme, http::Scheme::kHttps);
  EXPECT_EQ(client.authority->host, "www.test");
  EXPECT_EQ(client.authority->port, 8443);
}

class Rewriting : public testing::Test {
 protected:
  std::string apply(config::Rewrite rules, std::string_view header) {
    head_.fields.clear();
    head_.fields.add("X-Path", arena_.copy(header));
    head_.target = http::parse_target("/a", http::Method::kGet, arena_).value();
    facts_.head = &head_;
    return std::string(Rewrite(rules).apply("/a", facts_, arena_));
  }
  http::Arena arena_;
  http::RequestHead head_{arena_};
  RequestFacts facts_;
};

TEST_F(Rewriting, ByAVariableStaysAPath) {
  const config::Rewrite rules{.path = "/{header.X-Path}"};
  EXPECT_EQ(apply(rules, "x HTTP/1.1"), "/x%20HTTP/1.1");
  EXPECT_EQ(apply(rules, "x?y#z"), "/x%3Fy%23z");
  EXPECT_EQ(apply(rules, "%"), "/%25");
  EXPECT_EQ(apply(rules, "a%4"), "/a%254");
  EXPECT_EQ(apply(rules, "../%2e%2e/b"), "/b");
  EXPECT_EQ(apply({.path = "{header.X-Path}"}, ""), "/");
}

TEST(Expression, TakesAnyOctetForADot) {
  const auto expression = compile_expression("^/admin/.*x$");
  EXPECT_TRUE(RE2::FullMatch("/admin/\xFF\xFEx", *expression));
}

TEST(Condition, LooksAtEveryLineOfAFieldInAnyCase) {
  config::Match match;
  match.headers = {{"x-flag", config::Condition::Kind::kEquals, "on"}};
  http::Arena arena;
  http::RequestHead head(arena);
  head.fields.add("X-Flag", "off");
  head.fields.add("x-FLAG", "on");
  RequestFacts facts;
  facts.head = &head;
  EXPECT_EQ(Conditions(match).first_failed(facts), "");
}

TEST(Template, RendersLargeValuesWithinTheArena) {
  http::Arena arena;
  http::RequestHead head(arena);
  const std::string value(30'000, 'v');
  head.fields.add("X", value);
  RequestFacts facts;
  facts.head = &head;
  const ValueTemplate text("{header.X}-{header.X}-{header.X}-{header.X}-{header.X}-{header.Y}");
  EXPECT_EQ(text.render(facts, arena).size(), 5 * 30'001u);
}

}   // namespace
}   // namespace proxyd::routing
