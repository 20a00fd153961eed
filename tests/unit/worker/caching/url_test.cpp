#include "worker/caching/url.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::caching {
namespace {

class UrlReference : public testing::Test {
 protected:
  std::string resolved(std::string_view reference) {
    const auto url = resolve(reference, base, arena_);
    if (!url) return "nothing";
    return std::string(http::to_string(url->scheme)) + " " + std::string(url->authority) + " " +
           std::string(url->path) + (url->has_query ? " ?" + std::string(url->query) : "");
  }
  Url base{http::Scheme::kHttp, "a.test:8080", "/x/y", "q=1", true};

 private:
  http::Arena arena_;
};

TEST_F(UrlReference, IsResolvedAgainstTheRequest_Rfc3986_5_2) {
  EXPECT_EQ(resolved("/b?c"), "http a.test:8080 /b ?c");
  EXPECT_EQ(resolved("z"), "http a.test:8080 /x/z");
  EXPECT_EQ(resolved("../z/./w"), "http a.test:8080 /z/w");
  EXPECT_EQ(resolved("?r=2"), "http a.test:8080 /x/y ?r=2");
  EXPECT_EQ(resolved(""), "http a.test:8080 /x/y ?q=1");
  EXPECT_EQ(resolved("#f"), "http a.test:8080 /x/y ?q=1");
  EXPECT_EQ(resolved("//b.test"), "http b.test /");
  EXPECT_EQ(resolved("a?b:c"), "http a.test:8080 /x/a ?b:c");
}

TEST_F(UrlReference, IsBroughtIntoNormalForm_Rfc9110_4_2_3) {
  EXPECT_EQ(resolved("HTTPS://B.Test:443//a/%7eb?x#f"), "https b.test /a/~b ?x");
  EXPECT_EQ(resolved("http://b.test:443"), "http b.test:443 /");
  EXPECT_EQ(resolved("http://b.test?x=/"), "http b.test / ?x=/");
  EXPECT_EQ(resolved("http://[::1]:8080/"), "http [::1]:8080 /");
}

TEST_F(UrlReference, IsNothingWhenItIsNoHttpUri) {
  for (const std::string_view reference : {"ftp://b.test/", "mailto:a@b", "http:x", "http://", "http://u@b.test/",
                                           "http://b.test:99999/", "/%", "/\x01", "http:///x"}) {
    EXPECT_EQ(resolved(reference), "nothing") << reference;
  }
}

TEST_F(UrlReference, HasAnOrigin_Rfc9110_4_3_1) {
  Url other = base;
  other.path = "/else";
  EXPECT_TRUE(base.same_origin(other));
  other.scheme = http::Scheme::kHttps;
  EXPECT_FALSE(base.same_origin(other));
  other = base;
  other.authority = "a.test";
  EXPECT_FALSE(base.same_origin(other));
}

}   // namespace
}   // namespace proxyd::caching
