#include "worker/caching/invalidation.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/worker/caching/messages.h"
#include "worker/caching/groups.h"

namespace proxyd::caching {
namespace {

class Invalidated : public testing::Test, public Messages {
 protected:
  std::string urls(std::string_view method, Lines lines = {}, int status = 200) {
    const Invalidation made = invalidated_by(request({}, method), response(lines, status), url);
    std::string text;
    for (const Url& one : made.urls())
      text += (text.empty() ? "" : " ") + std::string(one.path) + (one.has_query ? "?" + std::string(one.query) : "");
    return text;
  }
  std::string groups(std::string_view value) {
    const TagList list = cache_groups(fields({{"Cache-Groups", value}}));
    std::string text;
    for (const std::string_view name : list.tags()) text += "[" + std::string(name) + "]";
    return text;
  }
  Url url{http::Scheme::kHttp, "a.test", "/x/y", "q", true};
};

TEST_F(Invalidated, IsTheUrlOfAnUnsafeMethodThatSucceeded_Rfc9111_4_4) {
  for (const std::string_view method : {"POST", "PUT", "DELETE", "PATCH", "M-SEARCH", "get", "FROB"})
    EXPECT_EQ(urls(method), "/x/y?q") << method;
  for (const int status : {201, 204, 301, 303, 399}) EXPECT_EQ(urls("POST", {}, status), "/x/y?q") << status;
  for (const int status : {100, 400, 404, 500, 503}) EXPECT_EQ(urls("POST", {}, status), "") << status;
}

TEST_F(Invalidated, IsNothingBySafeMethods_Rfc9110_9_2_1) {
  for (const std::string_view method :
       {"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PURGE", "PROPFIND", "REPORT", "SEARCH", "QUERY"})
    EXPECT_EQ(urls(method, {{"Location", "/b"}}), "") << method;
}

TEST_F(Invalidated, AreLocationAndContentLocationOfTheSameOrigin_Rfc9111_4_4) {
  EXPECT_EQ(urls("POST", {{"Location", "/b"}}), "/x/y?q /b");
  EXPECT_EQ(urls("PUT", {{"Content-Location", "c?d"}}), "/x/y?q /x/c?d");
  EXPECT_EQ(urls("POST", {{"Location", "http://A.TEST:80/b#f"}, {"Content-Location", "/b"}}), "/x/y?q /b");
  EXPECT_EQ(urls("POST", {{"Location", "http://b.test/b"}}), "/x/y?q");
  EXPECT_EQ(urls("POST", {{"Location", "https://a.test/b"}}), "/x/y?q");
  EXPECT_EQ(urls("POST", {{"Location", "http://a.test:8080/b"}}), "/x/y?q");
  EXPECT_EQ(urls("POST", {{"Location", "::"}}), "/x/y?q");
  EXPECT_EQ(urls("POST", {{"Location", "/b"}}, 500), "");
}

TEST_F(Invalidated, GroupsAreAListOfStrings_Rfc9875_2) {
  EXPECT_EQ(groups("\"a\", \"b c\";x=1, \"a\""), "[a][b c]");
  EXPECT_EQ(groups("\"a\\\"b\""), "[a\\\"b]");
  EXPECT_EQ(groups("\"A\", \"a\""), "[A][a]");
  EXPECT_EQ(groups(""), "");
  EXPECT_EQ(groups("a"), "");
  EXPECT_EQ(groups("\"a\", 1"), "");
  EXPECT_EQ(groups("\"a\", \"b"), "");
  EXPECT_EQ(groups("(\"a\")"), "");
}

TEST_F(Invalidated, GroupsMayBeAtLeastThirtyTwoOfThirtyTwoCharacters_Rfc9875_2) {
  std::string value;
  for (int i = 10; i < 42; ++i) value += (i == 10 ? "\"" : ", \"") + std::string(30, 'x') + std::to_string(i) + "\"";
  const TagList list = cache_groups(fields({{"Cache-Groups", value}}));
  EXPECT_EQ(list.tags().size(), 32u);
  EXPECT_FALSE(list.overflowed());
}

TEST_F(Invalidated, GroupsAreNamedByAnswersToUnsafeMethodsOnly_Rfc9875_3) {
  const http::ResponseHead answer = response({{"Cache-Group-Invalidation", "\"a\", \"b\""}});
  EXPECT_EQ(invalidated_groups(request({}, "POST"), answer).tags().size(), 2u);
  EXPECT_EQ(invalidated_groups(request({}, "GET"), answer).tags().size(), 0u);
}

TEST_F(Invalidated, GroupsBelongToAnOrigin_Rfc9875_2_1) {
  Url other = url;
  other.scheme = http::Scheme::kHttps;
  EXPECT_EQ(group_tag(url, "a", arena()), "http://a.test\na");
  EXPECT_NE(group_tag(url, "a", arena()), group_tag(other, "a", arena()));
}

}   // namespace
}   // namespace proxyd::caching
