#include "worker/caching/bypass.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/unit/worker/caching/messages.h"
#include "worker/caching/request_parts.h"

namespace proxyd::caching {
namespace {

class Bypass : public testing::Test, public Messages {
 protected:
  std::string_view why(Lines lines = {}, std::string_view method = "GET") {
    return to_string(why_bypassed(request(lines, method), policy));
  }
  std::string_view why_target(std::string_view text) {
    http::RequestHead head = request();
    head.target = *http::parse_target(text, http::Method::kGet, arena());
    return to_string(why_bypassed(head, policy));
  }
  Policy policy;
};

TEST_F(Bypass, IsForMethodsThatAreNotLookedUp_Rfc9111_4) {
  EXPECT_EQ(why(), "none");
  EXPECT_EQ(why({}, "HEAD"), "none");
  for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "PURGE", "M-SEARCH"})
    EXPECT_EQ(why({}, method), "method") << method;
  policy.methods = {http::Method::kGet, http::Method::kPost};
  EXPECT_EQ(why({}, "HEAD"), "method");
  EXPECT_EQ(why({}, "POST"), "method");
}

TEST_F(Bypass, IsForAGetThatHasContentOrAnotherMethodInAField) {
  http::RequestHead fat = request();
  fat.content = {http::ContentLength::Kind::kKnown, 3};
  EXPECT_EQ(why_bypassed(fat, policy), Reason::kRequestContent);
  fat.content.bytes = 0;
  EXPECT_EQ(why_bypassed(fat, policy), Reason::kNone);
  EXPECT_EQ(why({{"x-http-METHOD-override", "POST"}}), "method_override");
  EXPECT_EQ(why({{"X-Method-Override", "x"}}), "method_override");
  EXPECT_EQ(why({{"X-HTTP-Methods", "x"}}), "none");
}

TEST_F(Bypass, IsForTraversalBehindAnEncodedSeparator) {
  EXPECT_EQ(why_target("/static/..%2faccount"), "encoded_traversal");
  EXPECT_EQ(why_target("/static/x%5C../account"), "encoded_traversal");
  EXPECT_EQ(why_target("/static%2f..%2faccount"), "encoded_traversal");
  EXPECT_EQ(why_target("/a%2fb"), "none");
  EXPECT_EQ(why_target("/a..b%2fc"), "none");
}

TEST_F(Bypass, IsForPreconditionsOfWriters_Rfc9110_13_1_1) {
  EXPECT_EQ(why({{"If-Match", "\"x\""}}), "precondition");
  EXPECT_EQ(why({{"If-Unmodified-Since", "x"}}), "precondition");
  EXPECT_EQ(why({{"If-None-Match", "\"x\""}}), "none");
}

TEST_F(Bypass, IsWhatThePolicyNames) {
  policy.bypass.cookies = {NamePattern::from("session"), NamePattern::from("wordpress_logged_in_*")};
  policy.bypass.headers = {"Authorization", "X-Debug"};
  policy.bypass.query = {NamePattern::from("preview")};
  policy.bypass.paths = {NamePattern::from("/cart*"), NamePattern::from("/me")};
  EXPECT_EQ(why({{"Cookie", "a=b; session=1"}}), "bypass_cookie");
  EXPECT_EQ(why({{"Cookie", "a=b"}, {"Cookie", "c=d;wordpress_logged_in_5=x"}}), "bypass_cookie");
  EXPECT_EQ(why({{"Cookie", "a=session; sessions=1"}}), "none");
  EXPECT_EQ(why({{"authorization", "x"}}), "bypass_header");
  EXPECT_EQ(why({{"x-debug", ""}}), "bypass_header");
  EXPECT_EQ(why_target("/?a=1&preview"), "bypass_query");
  EXPECT_EQ(why_target("/?pre%76iew=1"), "bypass_query");
  EXPECT_EQ(why_target("/?previews=1"), "none");
  EXPECT_EQ(why_target("/cart/x"), "bypass_path");
  EXPECT_EQ(why_target("/me"), "bypass_path");
  EXPECT_EQ(why_target("/menu"), "none");
}

// Known ones, X-Forwarded-For and the like, are those that we set ourselves.
TEST_F(Bypass, KnowsForwardingFieldsThatChangeAnAnswerBeyondTheKey) {
  const auto foreign = [this](Lines lines) {
    return has_foreign_forwarding_fields(fields(lines), "a.test", http::Scheme::kHttps, policy);
  };
  EXPECT_FALSE(foreign({{"X-Forwarded-For", "192.0.2.1"}, {"X-Forwarded-Proto", "http"}, {"X-Forwarded", "x"}}));
  EXPECT_TRUE(foreign({{"x-forwarded-PREFIX", "/shop"}}));
  policy.key.headers = {"X-Forwarded-Prefix"};
  EXPECT_FALSE(foreign({{"x-forwarded-PREFIX", "/shop"}}));
  EXPECT_TRUE(foreign({{"x-forwarded-PREFIX", "/shop"}, {"X-Forwarded-Ssl", "on"}}));
}

TEST_F(Bypass, KnowsAForwardedThatNamesAnotherHostOrScheme_Rfc7239_4) {
  const auto foreign = [this](std::string_view forwarded) {
    return has_foreign_forwarding_fields(fields({{"Forwarded", forwarded}}), "a.test", http::Scheme::kHttps, policy);
  };
  EXPECT_FALSE(foreign("for=192.0.2.1;host=A.test;proto=HTTPS"));
  EXPECT_FALSE(foreign("host=\"a.test\""));
  EXPECT_TRUE(foreign("host=b.test"));
  EXPECT_TRUE(foreign("host=a.test, proto=http"));
}

TEST(CookiePairs, AreReadFromEveryLine_Rfc6265_5_4) {
  http::Arena arena;
  http::Fields fields(arena);
  fields.add("Cookie", " a=1 ;; b = 2;c");
  fields.add("X", "y=1");
  fields.add("cookie", "");
  fields.add("cookie", "a=3");
  std::string text;
  CookiePairs pairs(fields);
  while (const auto pair = pairs.next()) text += "[" + std::string(pair->name) + "|" + std::string(pair->text) + "]";
  EXPECT_EQ(text, "[a|a=1][b|b = 2][c|c][a|a=3]");
}

TEST(Reason, HasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (size_t i = 0; i < metrics::kCacheReasons.size(); ++i) words.insert(to_string(static_cast<Reason>(i)));
  EXPECT_EQ(words.size(), metrics::kCacheReasons.size());
}

TEST(Reason, IsExplainedToOperators) {
  std::ifstream file(PROXYD_SOURCE_DIR "/README.md");
  const std::string readme(std::istreambuf_iterator<char>(file), {});
  for (size_t i = 1; i < metrics::kCacheReasons.size(); ++i)
    EXPECT_NE(readme.find("`" + std::string(metrics::kCacheReasons[i]) + "`"), std::string::npos)
        << metrics::kCacheReasons[i] << " is not in README.md";
}

}   // namespace
}   // namespace proxyd::caching
