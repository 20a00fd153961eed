#include "worker/purge_subjects.h"

#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::worker {
namespace {

using nlohmann::json;

constexpr const char* kDocument = R"(
version: 1
listeners: { main: { address: ":80" }, other: { address: ":81" } }
cache_policies:
  plain: {}
  few: { key: { query: { only: [v] } } }
  many: { key: { query: { except: ["utm_*"] } } }
  by_cookie: { key: { cookies: [currency] } }
upstreams: { u: {} }
hosts:
  www:
    names: [www.example.com, "*.shop.example.com"]
    routes:
      - { name: assets, match: { path_prefix: /assets }, upstream: u, cache: few }
      - { name: tenant, match: { path_prefix: /mixed, header: { X-T: "1" } }, upstream: u, cache: few }
      - { name: mixed, match: { path_prefix: /mixed }, upstream: u, cache: many }
      - { name: cookie, match: { path_prefix: /cookie }, upstream: u, cache: by_cookie }
      - { name: raw, match: { path_prefix: /raw }, upstream: u, cache: many, raw_path: true }
      - { name: off, match: { path_prefix: /off }, upstream: u }
      - { name: all, match: { path_prefix: / }, upstream: u, cache: many }
  api:
    names: [api.example.com]
    routes: [ { name: get, match: { path_prefix: /, methods: [GET] }, upstream: u, cache: plain }, { name: rest, match: { path_prefix: / }, upstream: u, cache: few } ]
)";

class PurgeSubjectsTest : public testing::Test {
 protected:
  static proxy::Configuration configuration() {
    config::Decoded decoded = config::decode(kDocument, config::Format::kYaml);
    EXPECT_TRUE(decoded.valid()) << (decoded.valid() ? "" : decoded.problems.front().message);
    return proxy::Configuration({1, 1, "", {}}, std::move(decoded.document));
  }
  json asked(const char* kind, const std::string& name) { return purge_subjects(now_, {{kind, {name}}})[kind][0]; }
  std::string texts(const char* kind, const std::string& name) {
    const json answer = asked(kind, name);
    return answer.contains("error") ? "error: " + answer["error"].get<std::string>() : answer["texts"].dump();
  }
  std::string url(const std::string& name) { return texts("urls", name); }

  proxy::Configuration now_ = configuration();
};

TEST_F(PurgeSubjectsTest, AUrlIsWhatTheKeyRulesOfItsRouteLeave) {
  EXPECT_EQ(url("http://www.example.com/assets/a.css?v=2&utm_x=1"), R"(["www.example.com/assets/a.css?v=2"])");
  EXPECT_EQ(url("http://www.example.com/page?v=2&b=1&a=1&utm_x=1"), R"(["www.example.com/page?a=1&b=1&v=2"])");
  EXPECT_EQ(url("http://www.example.com/page"), R"(["www.example.com/page"])");
}

TEST_F(PurgeSubjectsTest, AUrlThatSeveralRoutesMayTakeIsWhatEachOfThemLeaves) {
  EXPECT_EQ(url("http://www.example.com/mixed/x?a=1"), R"(["www.example.com/mixed/x","www.example.com/mixed/x?a=1"])");
  EXPECT_EQ(url("http://api.example.com/x?a=1"), R"(["api.example.com/x","api.example.com/x?a=1"])");
}

TEST_F(PurgeSubjectsTest, AUrlThatNothingCachesIsItself) {
  EXPECT_EQ(url("http://www.example.com/off?b=1&a=1"), R"(["www.example.com/off?a=1&b=1"])");
  EXPECT_EQ(url("http://nobody.example/x?a"), R"(["nobody.example/x?a"])");
}

TEST_F(PurgeSubjectsTest, NamesAreInNormalForm) {
  EXPECT_EQ(url("HTTP://WWW.Example.com:80/%61/../b//c#part"), R"(["www.example.com/b/c"])");
  EXPECT_EQ(url("https://www.example.com:443/x"), R"(["www.example.com/x"])");
  EXPECT_EQ(url("https://www.example.com:8443/x"), R"(["www.example.com:8443/x"])");
  EXPECT_EQ(url("www.example.com/x"), R"(["www.example.com/x"])");
  EXPECT_EQ(url("www.example.com:443/x"), R"(["www.example.com/x","www.example.com:443/x"])");
  EXPECT_EQ(texts("prefixes", "WWW.example.com/a/./b/"), R"(["www.example.com/a/./b/","www.example.com/a/b/"])");
  EXPECT_EQ(texts("prefixes", "https://www.example.com:443/a/"), R"(["www.example.com/a/"])");
  EXPECT_EQ(texts("hosts", "WWW.Example.com."), R"(["www.example.com"])");
  EXPECT_EQ(texts("hosts", "www.example.com:8080"), R"(["www.example.com:8080"])");
  EXPECT_EQ(texts("hosts", "[::1]:8080"), R"(["[::1]:8080"])");
}

TEST_F(PurgeSubjectsTest, AUrlOfARouteThatForwardsPathsAsTheyCameIsAsItIsWritten) {
  EXPECT_EQ(url("http://www.example.com/raw/%61//b?utm_x=1"), R"(["www.example.com/raw/%61//b"])");
  EXPECT_EQ(url("http://www.example.com/raw/a"), R"(["www.example.com/raw/a"])");
}

TEST_F(PurgeSubjectsTest, TheKeysOfBothSchemesAreThereWhereTheUrlIsAllOfThem) {
  EXPECT_EQ(asked("urls", "http://www.example.com/x")["keys"].dump(),
            R"(["http://www.example.com/x\n@u","https://www.example.com/x\n@u"])");
  EXPECT_EQ(asked("urls", "http://www.example.com/cookie/x")["keys"].dump(), "[]");
}

TEST_F(PurgeSubjectsTest, WhatIsNoNameIsSaidWithItsReason) {
  EXPECT_EQ(url("ftp://www.example.com/x"), "error: 'ftp://www.example.com/x' is no http or https URL");
  EXPECT_EQ(url("http:///x").substr(0, 5), "error");
  EXPECT_EQ(url("http://user@www.example.com/").substr(0, 5), "error");
  EXPECT_NE(url("http://www.example.com/" + std::string(9000, 'x')).find("longer than the key"), std::string::npos);
  EXPECT_NE(texts("prefixes", "www.example.com/a").find("does not end in '/'"), std::string::npos);
  EXPECT_NE(texts("prefixes", "www.example.com/a/?b").find("has a query"), std::string::npos);
  EXPECT_NE(texts("hosts", "www.example.com/").find("is no host"), std::string::npos);
  EXPECT_NE(texts("hosts", "http://www.example.com").find("is no host"), std::string::npos);
}

}   // namespace
}   // namespace proxyd::worker
