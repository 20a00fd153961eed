#include "worker/proxy/url_subjects.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::proxy {
namespace {

constexpr const char* kDocument = R"(
version: 1
listeners: { main: { address: ":80" }, other: { address: ":81" } }
cache_policies:
  all: {}
  few: { key: { query: { only: [v] } } }
  by_cookie: { key: { cookies: [currency] } }
upstreams: { a: {}, b: {} }
hosts:
  www:
    names: [a.test]
    routes:
      - { name: exact, match: { path: /few }, upstream: a, cache: few }
      - { name: tenant, match: { path_prefix: /mixed, header: { X-T: "1" } }, upstream: a, cache: few }
      - { name: cookie, match: { path_prefix: /cookie }, upstream: a, cache: by_cookie }
      - { name: raw, match: { path_prefix: /raw }, upstream: a, cache: all, raw_path: true }
      - { name: separate, match: { path_prefix: /separate }, split: { upstreams: { a: 1, b: 1 } }, cache: all }
      - { name: shared, match: { path_prefix: /shared }, split: { upstreams: { a: 1, b: 1 }, cache: shared }, cache: all }
      - { name: off, match: { path_prefix: /off }, upstream: a }
      - { name: rest, match: { path_prefix: / }, upstream: b, cache: all }
  internal:
    names: [b.test]
    listeners: [other]
    routes: [ { name: get, match: { path_prefix: /, methods: [POST] }, upstream: a, cache: few } ]
)";

class SubjectsOfAUrl : public testing::Test {
 protected:
  static Configuration configuration() {
    config::Decoded decoded = config::decode(kDocument, config::Format::kYaml);
    EXPECT_TRUE(decoded.valid()) << (decoded.valid() ? "" : decoded.problems.front().message);
    return Configuration({1, 1, "", {}}, std::move(decoded.document));
  }
  UrlSubjects of(std::string_view authority, std::string_view path, std::string_view query = {},
                 std::string_view raw = {}) {
    const caching::Url url{http::Scheme::kHttp, authority, path, query, query.data() != nullptr};
    return url_subjects(now_, url, raw.empty() ? path : raw);
  }
  std::string texts(const UrlSubjects& subjects) { return fmt::format("{}", fmt::join(subjects.texts, " ")); }
  std::string keys(const UrlSubjects& subjects) {
    std::string text = fmt::format("{}", fmt::join(subjects.keys, " "));
    std::replace(text.begin(), text.end(), '\n', '#');
    return text;
  }

 private:
  Configuration now_ = configuration();
};

TEST_F(SubjectsOfAUrl, AreWhatTheKeyRulesOfItsRouteLeaveInBothSchemes) {
  const UrlSubjects few = of("a.test", "/few", "x=1&v=2");
  EXPECT_EQ(texts(few), "a.test/few?v=2");
  EXPECT_EQ(keys(few), "http://a.test/few?v=2#@a https://a.test/few?v=2#@a");
  EXPECT_EQ(texts(of("a.test:8080", "/x", "b=1&a=1")), "a.test:8080/x?a=1&b=1");
}

TEST_F(SubjectsOfAUrl, AreThoseOfEveryRouteThatMayBeMeant) {
  EXPECT_EQ(texts(of("a.test", "/mixed/x", "w=1")), "a.test/mixed/x a.test/mixed/x?w=1");
  EXPECT_EQ(texts(of("b.test", "/x", "w=1")), "b.test/x");
}

TEST_F(SubjectsOfAUrl, HaveNoKeysWhereMoreThanTheUrlIsInThem) {
  EXPECT_EQ(texts(of("a.test", "/cookie")), "a.test/cookie");
  EXPECT_EQ(keys(of("a.test", "/cookie")), "");
}

TEST_F(SubjectsOfAUrl, AreOfThePathAsWrittenWhereTheRouteTakesItSo) {
  EXPECT_EQ(texts(of("a.test", "/raw/x", {}, "/raw//x")), "a.test/raw//x");
}

TEST_F(SubjectsOfAUrl, HaveAKeyForEachOriginThatHasItsOwn) {
  EXPECT_EQ(
      keys(of("a.test", "/separate")),
      "http://a.test/separate#@a http://a.test/separate#@b https://a.test/separate#@a https://a.test/separate#@b");
  EXPECT_EQ(keys(of("a.test", "/shared")), "http://a.test/shared#@www/shared https://a.test/shared#@www/shared");
}

TEST_F(SubjectsOfAUrl, AreTheUrlItselfWhereNothingCachesIt) {
  EXPECT_EQ(texts(of("a.test", "/off", "b=1&a=1")), "a.test/off?a=1&b=1");
  EXPECT_EQ(texts(of("nobody.test", "/x", "")), "nobody.test/x?");
}

TEST_F(SubjectsOfAUrl, AreNoneWhereNoKeyIsAsLong) {
  const UrlSubjects none = of("a.test", "/" + std::string(9000, 'x'));
  EXPECT_TRUE(none.texts.empty() && none.keys.empty());
}

}   // namespace
}   // namespace proxyd::proxy
