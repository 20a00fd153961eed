#include <gtest/gtest.h>

#include <string>

#include "worker/http/authority.h"
#include "worker/http/fields.h"
#include "worker/http/list.h"
#include "worker/http/target.h"

namespace proxyd::http {
namespace {

class Vocabulary : public testing::Test {
 protected:
  std::string path(std::string_view text) {
    const auto target = parse_target(text, Method::kGet, arena_);
    return target ? std::string(target->path) : "refused " + std::string(to_string(target.error()));
  }
  std::string authority(std::string_view text) {
    const auto parsed = parse_authority(text, arena_);
    if (!parsed) return "refused " + std::string(to_string(parsed.error()));
    return std::string(parsed->host) + " " + std::to_string(parsed->port);
  }
  Arena arena_;
};

TEST_F(Vocabulary, NormalizesAPathOnce) {
  EXPECT_EQ(path("/a/./b//c/../d"), "/a/b/d");
  EXPECT_EQ(path("/../../etc"), "/etc");
  EXPECT_EQ(path("/%7Euser/%2e%2e/x"), "/x");
  EXPECT_EQ(path("/a/.."), "/");
  EXPECT_EQ(path("/a/."), "/a/");
  EXPECT_EQ(path("/a/b/.."), "/a/");
  EXPECT_EQ(path("//"), "/");
  EXPECT_EQ(path("/.hidden/...x"), "/.hidden/...x");
}

TEST_F(Vocabulary, NeverDecodesWhatWouldChangeThePathsMeaning) {
  EXPECT_EQ(path("/a%2Fb"), "/a%2Fb");
  EXPECT_EQ(path("/a%5c..%5cb"), "/a%5c..%5cb");
  EXPECT_EQ(path("/a%252e%252e/b"), "/a%252e%252e/b");
  EXPECT_TRUE(parse_target("/a%2fb", Method::kGet, arena_)->has_encoded_separator);
  EXPECT_FALSE(parse_target("/a?b=%2f", Method::kGet, arena_)->has_encoded_separator);
}

TEST_F(Vocabulary, RefusesWhatIsNoTarget) {
  EXPECT_EQ(path("/%"), "refused uri_pct");
  EXPECT_EQ(path("/%4"), "refused uri_pct");
  EXPECT_EQ(path("/a%4?b"), "refused uri_pct");
  EXPECT_EQ(path("/a#b"), "refused uri_fragment");
  EXPECT_EQ(path("a/b"), "refused target_form");
  EXPECT_EQ(path("*"), "refused target_form");
  EXPECT_EQ(path("ftp://a/b"), "refused target_form");
  EXPECT_EQ(path("http://a.test"), "/");
  EXPECT_EQ(path("http://a.test?x"), "/");
}

TEST_F(Vocabulary, ReadsAnAuthorityStrictly) {
  EXPECT_EQ(authority("A.Test."), "a.test 0");
  EXPECT_EQ(authority("a.test:8080"), "a.test 8080");
  EXPECT_EQ(authority("a.test:"), "a.test 0");
  EXPECT_EQ(authority("[::1]:80"), "[::1] 80");
  EXPECT_EQ(authority("[::1"), "refused host_invalid");
  EXPECT_EQ(authority("[::1]x"), "refused host_invalid");
  EXPECT_EQ(authority("[1.2.3.4]"), "refused host_invalid");
  EXPECT_EQ(authority("a.test:65536"), "refused host_port");
  EXPECT_EQ(authority("a.test:80x"), "refused host_invalid");
  EXPECT_EQ(authority("u@a.test"), "refused host_userinfo");
  EXPECT_EQ(authority(":80"), "refused host_empty");
  EXPECT_EQ(authority("a.test, b.test"), "refused host_invalid");
  EXPECT_EQ(authority("a%2etest"), "refused host_invalid");
}

TEST_F(Vocabulary, TellsAnAuthorityWithItsPortWhereItIsWrittenInNormalForm) {
  const auto with_port = [this](std::string_view text) { return parse_authority(text, arena_)->with_port; };
  for (const std::string_view text : {"a.test:8080", "[::1]:65535", "a_b!:1"})
    EXPECT_EQ(with_port(text), text[0] == '[' ? "" : text) << text;
  for (const std::string_view text : {"a.test", "a.test:", "a.test:080", "a.test:0", "A.test:80", "a.test.:80"})
    EXPECT_EQ(with_port(text), "") << text;
}

TEST_F(Vocabulary, JoinsLinesOfOneFieldInTheirOrder) {
  Fields fields(arena_);
  fields.add("Via", "1.1 a");
  fields.add("X-Other", "z");
  fields.add("via", "1.0 b");
  fields.add("VIA", "");
  EXPECT_EQ(fields.combined(FieldName::kVia), "1.1 a, 1.0 b, ");
  fields.remove("X-OTHER");
  EXPECT_EQ(fields.size(), 3u);
  fields.set("Via", "c");
  EXPECT_EQ(fields.combined(FieldName::kVia), "c");
  EXPECT_TRUE(fields.combined(FieldName::kCookie).empty());
}

TEST_F(Vocabulary, ManyLinesOfOneFieldCostNoMoreThanTheirSize) {
  Fields fields(arena_);
  const std::string value(300, 'v');
  for (int i = 0; i < 100; ++i) fields.add("Via", value);
  EXPECT_EQ(fields.combined(FieldName::kVia).size(), 100 * 302u - 2);   // and the arena was large enough
  EXPECT_NO_THROW(arena_.allocate(400 * 1024));
}

TEST_F(Vocabulary, AnArenaIsBoundedAndUsableAgain) {
  EXPECT_THROW(arena_.allocate(Arena::kCapacity), ArenaExhausted);
  arena_.reset();
  EXPECT_EQ(arena_.copy("text"), "text");
  EXPECT_EQ(arena_.concat("a", std::string_view(), "b"), "ab");
}

TEST_F(Vocabulary, SplitsListsAtCommasOutsideQuotes) {
  ListMembers members(" a ,, \"b,\\\"c\" , d=\"");
  std::string_view member;
  std::string all;
  while (members.next(member)) all += "<" + std::string(member) + ">";
  EXPECT_EQ(all, "<a><\"b,\\\"c\"><d=\">");
}

TEST_F(Vocabulary, KnowsItsFieldNamesInAnyCase) {
  for (size_t i = 1; i < kFieldNameCount; ++i) {
    std::string name(to_string(static_cast<FieldName>(i)));
    EXPECT_EQ(field_name_from(name), static_cast<FieldName>(i));
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    EXPECT_EQ(field_name_from(name), static_cast<FieldName>(i));
    EXPECT_EQ(field_name_from(name + "x"), FieldName::kOther);
  }
}

TEST_F(Vocabulary, EveryRefusalHasAStatusOfAnError) {
  for (size_t i = 1; i < kRefusalCount; ++i) {
    const auto refusal = static_cast<Refusal>(i);
    EXPECT_FALSE(to_string(refusal).empty());
    EXPECT_GE(status_of(refusal), 400);
  }
}

}   // namespace
}   // namespace proxyd::http
