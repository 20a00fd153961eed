#include "worker/caching/vary.h"

#include <gtest/gtest.h>

#include "tests/unit/worker/caching/messages.h"
#include "worker/caching/accept.h"

namespace proxyd::caching {
namespace {

class Vary : public testing::Test, public Messages {
 protected:
  std::string list(Lines response_lines) {
    const auto made = vary_list(fields(response_lines), policy);
    return made ? std::string(*made) : "never";
  }
  std::string key(std::string_view of_list, Lines request_lines) {
    const auto made = secondary_key(of_list, fields(request_lines));
    return made ? std::string(*made) : "too long";
  }
  std::string merged(std::string_view one, std::string_view other) {
    const auto made = merge_vary_lists(one, other, arena());
    return made ? std::string(*made) : "too many";
  }
  std::string coding(std::string_view accept_encoding) {
    return std::string(coding_class(fields({{"Accept-Encoding", accept_encoding}})).text());
  }
  bool same_language(std::string_view one, std::string_view other) {
    return key("accept-language", {{"Accept-Language", one}}) == key("accept-language", {{"Accept-Language", other}});
  }
  Policy policy;
};

TEST_F(Vary, IsAListOfNamesInOneForm_Rfc9111_4_1) {
  EXPECT_EQ(list({}), "");
  EXPECT_EQ(list({{"Vary", "Foo, bar"}, {"Vary", "BAZ,foo"}}), "bar,baz,foo");
  EXPECT_EQ(list({{"Vary", ""}}), "");
}

TEST_F(Vary, StarMatchesNothing_Rfc9111_4_1) {
  EXPECT_EQ(list({{"Vary", "*"}}), "never");
  EXPECT_EQ(list({{"Vary", "*, *"}}), "never");
  EXPECT_EQ(list({{"Vary", ", *"}}), "never");
  EXPECT_EQ(list({{"Vary", ""}, {"Vary", "*"}}), "never");
  EXPECT_EQ(list({{"Vary", "*, Foo"}}), "never");
  EXPECT_EQ(list({{"Vary", "Foo, *"}}), "never");
}

TEST_F(Vary, WhatIsNoListOfNamesMatchesNothing_Rfc9111_4_1) {
  EXPECT_EQ(list({{"Vary", "Foo bar"}}), "never");
  EXPECT_EQ(list({{"Vary", "\"Foo\""}}), "never");
  EXPECT_EQ(list({{"Vary", "a=b"}}), "never");
}

TEST_F(Vary, NamesSixteenFieldsAtMost) {
  EXPECT_EQ(list({{"Vary", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"}}), "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p");
  EXPECT_EQ(list({{"Vary", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"}}), "never");
  EXPECT_EQ(merged("a,b,c,d,e,f,g,h", "i,j,k,l,m,n,o,p,q"), "too many");
}

TEST_F(Vary, IsNothingWhereThePolicySaysSo) {
  policy.ignore_cookies = true;
  EXPECT_EQ(list({{"Vary", "Cookie, Accept-Encoding"}}), "accept-encoding");
  policy.ignore_vary = true;
  EXPECT_EQ(list({{"Vary", "*"}}), "");
}

TEST_F(Vary, ListsOfTwoAnswersAreMergedIntoOne) {
  EXPECT_EQ(merged("foo", "foo"), "foo");
  EXPECT_EQ(merged("", "foo"), "foo");
  EXPECT_EQ(merged("foo", ""), "foo");
  EXPECT_EQ(merged("b,d", "a,c,d"), "a,b,c,d");
  EXPECT_EQ(merged("accept-language=de", "accept-language=en,foo"), "accept-language=de|en,foo");
  EXPECT_EQ(merged("accept-language=a|b|c|d|e|f|g|h", "accept-language=i"), "accept-language=a|b|c|d|e|f|g|h");
}

TEST_F(Vary, SecondaryKeyTellsRequestsApartByTheNamedFieldsAlone_Rfc9111_4_1) {
  const std::string_view of = "bar,foo";
  EXPECT_EQ(key(of, {{"Foo", "1"}, {"Bar", "abc"}, {"Other", "2"}}), key(of, {{"bar", "abc"}, {"Foo", "1"}}));
  EXPECT_NE(key(of, {{"Foo", "1"}, {"Bar", "abc"}}), key(of, {{"Foo", "2"}, {"Bar", "abc"}}));
  EXPECT_NE(key(of, {{"Foo", "1"}, {"Bar", "abc"}}), key(of, {{"Foo", "1"}}));
  EXPECT_NE(key(of, {{"Foo", ""}}), key(of, {}));
  EXPECT_EQ(key(of, {}), key(of, {{"Other", "x"}}));
  EXPECT_EQ(key("", {{"Foo", "1"}}), "");
}

TEST_F(Vary, SecondaryKeyCanNotBeForged) {
  EXPECT_NE(key("a,b", {{"a", "1,b:2"}}), key("a,b", {{"a", "1"}, {"b", "2"}}));
  EXPECT_NE(key("a,ab", {{"a", "x"}}), key("a,ab", {{"ab", "x"}}));
  EXPECT_EQ(key("a", {{"A", "x"}}), "\na:x");
}

TEST_F(Vary, SecondaryKeyHasABound) {
  EXPECT_EQ(key("foo", {{"Foo", std::string(4000, 'x')}}).size(), 4005u);
  EXPECT_EQ(key("foo", {{"Foo", std::string(4096, 'x')}}), "too long");
}

TEST_F(Vary, UnknownFieldsAreCombinedAndLoseWhiteSpaceAroundCommas_Rfc9111_4_1) {
  EXPECT_EQ(key("foo", {{"Foo", "1,2"}}), key("foo", {{"Foo", " 1, 2 "}}));
  EXPECT_EQ(key("foo", {{"Foo", "1, 2"}}), key("foo", {{"Foo", "1"}, {"Foo", "2"}}));
  EXPECT_NE(key("foo", {{"Foo", "\"1, 2\""}}), key("foo", {{"Foo", "\"1,2\""}}));
  EXPECT_NE(key("foo", {{"Foo", "1 2"}}), key("foo", {{"Foo", "1  2"}}));
  EXPECT_EQ(key("user-agent", {{"User-Agent", "x"}}), "\nuser-agent:x");
}

TEST_F(Vary, AcceptEncodingCountsForTheCodingsThatWeKnow_Rfc9110_12_5_3) {
  EXPECT_EQ(coding("gzip, deflate, br, zstd"), "br, gzip, zstd");
  EXPECT_EQ(coding("br;q=1.0, GZIP;q=0.8, *;q=0.1"), "br, gzip, zstd");
  EXPECT_EQ(coding("x-gzip"), "gzip");
  EXPECT_EQ(coding("gzip;q=0, br"), "br");
  EXPECT_EQ(coding("gzip;q=0.000"), "identity");
  EXPECT_EQ(coding("gzip;q=x"), "gzip");
  EXPECT_EQ(coding("deflate"), "identity");
  EXPECT_EQ(coding(""), "identity");
  EXPECT_EQ(coding("identity"), "identity");
  EXPECT_EQ(coding("gzip, identity;q=0"), "gzip, identity;q=0");
  EXPECT_EQ(coding("br, *;q=0"), "br, identity;q=0");
  EXPECT_EQ(coding("*, gzip;q=0"), "br, zstd");
  EXPECT_EQ(key("accept-encoding", {}), key("accept-encoding", {{"Accept-Encoding", "identity"}}));
  EXPECT_EQ(key("accept-encoding", {{"Accept-Encoding", "gzip"}, {"Accept-Encoding", "br"}}),
            key("accept-encoding", {{"Accept-Encoding", "br,gzip;q=0.5"}}));
}

TEST_F(Vary, TextsOfBrowsersMeanWhatTheySay_Rfc9110_12_5_3) {
  for (const std::string_view text : {"gzip, deflate, br, zstd", "gzip, deflate, br", "gzip, deflate", "gzip"})
    EXPECT_EQ(coding(text), coding(std::string(text) + ", x")) << text;
}

TEST_F(Vary, CodingsOfAResponseAreOfAClassOrNot_Rfc9110_12_5_3) {
  const CodingClass gzip{CodingClass::kGzip};
  EXPECT_TRUE(holds_codings(gzip, fields({})));
  EXPECT_TRUE(holds_codings(gzip, fields({{"Content-Encoding", "gzip"}})));
  EXPECT_TRUE(holds_codings(gzip, fields({{"Content-Encoding", "identity"}})));
  EXPECT_FALSE(holds_codings(gzip, fields({{"Content-Encoding", "br"}})));
  EXPECT_FALSE(holds_codings(gzip, fields({{"Content-Encoding", "gzip, deflate"}})));
  EXPECT_FALSE(holds_codings({}, fields({{"Content-Encoding", "gzip"}})));
}

TEST_F(Vary, AcceptLanguageIsTheSameInAnyOrderCaseAndSpacing_Rfc9111_4_1) {
  EXPECT_TRUE(same_language("en, de", "de, en"));
  EXPECT_TRUE(same_language("en, de", "eN, De"));
  EXPECT_TRUE(same_language("en, de", " en ,   de"));
  EXPECT_TRUE(same_language("en;q=0.50, de", "de;q=1.0 , en; q=0.5"));
  EXPECT_FALSE(same_language("en;q=0.5, de", "en, de;q=0.5"));
  EXPECT_FALSE(same_language("en;q=0, de", "de"));
  EXPECT_FALSE(same_language("en;q=0.5, de", "en;q=0.4, de"));
}

TEST_F(Vary, AcceptLanguageThatIsNoneIsKeptAsItCame) {
  EXPECT_EQ(key("accept-language", {{"Accept-Language", "=de"}}), "\naccept-language:!=de");
  EXPECT_FALSE(same_language("a b, c", "c, a b"));
  std::string many;
  for (int i = 0; i < 40; ++i) many += "x" + std::to_string(i) + ",";
  EXPECT_EQ(key("accept-language", {{"Accept-Language", many}}), "\naccept-language:!" + many);
}

TEST_F(Vary, LanguageThatIsWantedMostFindsTheAnswerInIt_Rfc9110_12_5_4) {
  const std::string stored = list({{"Vary", "Accept-Language"}, {"Content-Language", "De"}});
  EXPECT_EQ(stored, "accept-language=de");
  const std::string first = key(stored, {{"Accept-Language", "en, de"}});
  EXPECT_EQ(first, "\naccept-language:=de");
  EXPECT_EQ(key(stored, {{"Accept-Language", "fr;q=0.5, de;q=1.0"}}), first);
  EXPECT_NE(key(stored, {{"Accept-Language", "fr, de;q=0.9"}}), first);
  EXPECT_NE(key(stored, {{"Accept-Language", "de-at"}}), first);
  EXPECT_NE(key(stored, {{"Accept-Language", "de;q=0"}}), first);
  EXPECT_NE(key("accept-language=de|en", {{"Accept-Language", "en, de"}}), first);   // either would do: ask the origin
  EXPECT_EQ(list({{"Vary", "Accept-Language"}, {"Content-Language", "de, en"}}), "accept-language");
}

TEST_F(Vary, ListKnowsWhatItNames) {
  EXPECT_TRUE(names_field("accept-encoding,accept-language=de|en,foo", "accept-language"));
  EXPECT_TRUE(names_field("accept-encoding,foo", "foo"));
  EXPECT_FALSE(names_field("accept-encoding,foo", "encoding"));
  EXPECT_FALSE(names_field("", "foo"));
}

}   // namespace
}   // namespace proxyd::caching
