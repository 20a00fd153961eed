#include "worker/caching/cache_key.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/caching/messages.h"

namespace proxyd::caching {
namespace {

class Key : public testing::Test, public Messages {
 protected:
  std::string key(std::string_view path_and_query, Lines lines = {}) {
    const auto target = http::parse_target(arena().copy(path_and_query), http::Method::kGet, arena());
    url.path = target->path;
    url.query = target->query;
    url.has_query = target->has_query;
    const auto made = cache_key(url, fields(lines), rules, partition);
    return made ? std::string(made->text) : "too long";
  }
  void only(std::initializer_list<std::string_view> names) { select(KeyRules::Query::kOnly, names); }
  void except(std::initializer_list<std::string_view> names) { select(KeyRules::Query::kExcept, names); }

  KeyRules rules;
  Url url{http::Scheme::kHttp, "a.test", "/", {}, false};
  std::string partition;

 private:
  void select(KeyRules::Query query, std::initializer_list<std::string_view> names) {
    rules.query = query;
    rules.parameters.clear();
    for (const std::string_view name : names) rules.parameters.push_back(NamePattern::from(name));
  }
};

TEST_F(Key, IsTheUrlThatTheClientUsed_Rfc9111_2) {
  EXPECT_EQ(key("/x?b=1"), "http://a.test/x?b=1");
  url.scheme = http::Scheme::kHttps;
  url.authority = "a.test:1337";
  EXPECT_EQ(key("/x"), "https://a.test:1337/x");
  EXPECT_NE(key("/x?"), key("/x"));
}

TEST_F(Key, HasOnePathForWhatNormalizationMakesTheSame_Rfc3986_6_2_2) {
  EXPECT_EQ(key("//a"), key("/a"));
  EXPECT_EQ(key("/./a"), key("/a"));
  EXPECT_EQ(key("/a/../a"), key("/a"));
  EXPECT_NE(key("/a/"), key("/a"));
  EXPECT_NE(key("/a%2fb"), key("/a/b"));
}

TEST_F(Key, SortsTheQueryByNameAndKeepsTheOrderOfOneName) {
  EXPECT_EQ(key("/?b=1&a=2"), "http://a.test/?a=2&b=1");
  EXPECT_EQ(key("/?b=1&a=2"), key("/?a=2&b=1"));
  EXPECT_NE(key("/?a=1&a=2"), key("/?a=2&a=1"));
  EXPECT_EQ(key("/?b&a=3&b=1&a=0"), "http://a.test/?a=3&a=0&b&b=1");
}

TEST_F(Key, KeepsDifferentQueriesApart) {
  EXPECT_NE(key("/?a=1;a=2"), key("/?a=1&a=2"));
  EXPECT_NE(key("/?a&&b"), key("/?a&b"));
  EXPECT_NE(key("/?a="), key("/?a"));
  EXPECT_NE(key("/?a=1&"), key("/?a=1"));
  EXPECT_NE(key("/?%61=1"), key("/?a=1"));
}

TEST_F(Key, LeavesALongQueryAsItCame) {
  std::string query = "/?";
  for (int i = 99; i > 0; --i) query += "p" + std::to_string(i) + "&";
  EXPECT_EQ(key(query), "http://a.test" + query);
}

TEST_F(Key, KeepsTheParametersThatThePolicyNames) {
  only({"v", "x_*"});
  EXPECT_EQ(key("/?z=1&v=2&x_1=3&utm=4"), "http://a.test/?v=2&x_1=3");
  EXPECT_EQ(key("/?z=1"), "http://a.test/");
  EXPECT_EQ(key("/?"), "http://a.test/");
  only({});
  EXPECT_EQ(key("/?v=1"), "http://a.test/");
}

TEST_F(Key, KeepsWhatAnOriginCouldTakeForAParameterOfThePolicy) {
  only({"v", "a_b"});
  for (const std::string_view evil :
       {"/?%76=evil", "/?V=evil", "/?v[]=evil", "/?v%5B0%5D=evil", "/?+v=evil", "/?a.b=evil", "/?a%20b=evil",
        "/?a+b=evil", "/?v%00x=evil", "/?x=1;v=evil", "/?v"}) {
    EXPECT_NE(key(evil), "http://a.test/") << evil;
  }
  EXPECT_EQ(key("/?vv=1&x=v&a=b"), "http://a.test/");
}

TEST_F(Key, LeavesOutTheParametersThatThePolicyExcepts) {
  except({"utm_*", "gclid"});
  EXPECT_EQ(key("/?utm_source=x&b=1&gclid=2&a=3"), "http://a.test/?a=3&b=1");
  EXPECT_EQ(key("/?utm%5Fsource=x"), "http://a.test/");
  EXPECT_EQ(key("/?gclids=1"), "http://a.test/?gclids=1");
  EXPECT_EQ(key("/?GCLID=1"), "http://a.test/?GCLID=1");
  EXPECT_EQ(key("/?gclid=1;a=evil"), "http://a.test/?gclid=1;a=evil");
}

TEST_F(Key, HoldsTheHeadersThatThePolicyNames) {
  rules.headers = {"x-a", "x-b"};
  EXPECT_EQ(key("/", {{"X-B", "2"}, {"X-A", "1"}, {"X-C", "3"}}), "http://a.test/\nx-a:1\nx-b:2");
  EXPECT_EQ(key("/"), "http://a.test/\nx-a\nx-b");
  EXPECT_NE(key("/", {{"X-A", ""}}), key("/"));
  EXPECT_EQ(key("/", {{"X-A", "1"}, {"X-A", "2"}}), key("/", {{"X-A", "1, 2"}}));
}

TEST_F(Key, HoldsTheCookiesThatThePolicyNames) {
  rules.cookies = {NamePattern::from("lang"), NamePattern::from("ab_*")};
  EXPECT_EQ(key("/", {{"Cookie", "x=1; ab_2=b; lang=de"}, {"Cookie", "ab_1=c"}}),
            "http://a.test/\n;lang=de\n;ab_2=b\n;ab_1=c");
  EXPECT_EQ(key("/", {{"Cookie", "x=1"}}), "http://a.test/");
  EXPECT_NE(key("/", {{"Cookie", "lang=de; lang=en"}}), key("/", {{"Cookie", "lang=en; lang=de"}}));
  EXPECT_NE(key("/", {{"Cookie", "lang=de"}}), key("/", {{"Cookie", "lang"}}));
}

TEST_F(Key, CanBePartitioned) {
  partition = "app";
  EXPECT_EQ(key("/"), "http://a.test/\n@app");
}

TEST_F(Key, KnowsTheUrlThatAPurgeNames) {
  rules.headers = {"x-a"};
  url.scheme = http::Scheme::kHttps;
  url.path = "/x/y";
  url.query = "b&a";
  url.has_query = true;
  EXPECT_EQ(cache_key(url, fields({}), rules, "p")->url(), "a.test/x/y?a&b");
}

TEST_F(Key, HasABound) {
  const std::string path = "/" + std::string(kMostKey - 14, 'x');
  EXPECT_EQ(key(path).size(), kMostKey);
  EXPECT_EQ(key(path + "y"), "too long");
}

}   // namespace
}   // namespace proxyd::caching
