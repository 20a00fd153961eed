#include "worker/caching/structured_field.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::caching {
namespace {

using Kind = StructuredMember::Kind;
using Type = StructuredField::Type;

std::string value_of(const StructuredMember& member) {
  switch (member.kind) {
    case Kind::kInteger: return std::to_string(member.integer);
    case Kind::kDecimal: return "decimal";
    case Kind::kString: return "'" + std::string(member.text) + "'";
    case Kind::kToken: return std::string(member.text);
    case Kind::kBytes: return "bytes";
    case Kind::kBoolean: return member.boolean ? "yes" : "no";
    case Kind::kDate: return "@" + std::to_string(member.integer);
    case Kind::kDisplayString: return "display";
    case Kind::kInnerList: return "(list)";
  }
  return "?";
}

// Its members in order, or that it is none.
std::string read(std::string_view field, Type type) {
  StructuredField members(field, type);
  std::string text;
  while (const auto member = members.next()) {
    text += text.empty() ? "" : " ";
    if (type == Type::kDictionary) text += std::string(member->key) + "=";
    text += value_of(*member);
  }
  EXPECT_FALSE(members.next().has_value()) << "it has ended";
  return members.well_formed() ? text : "faulty";
}
std::string list(std::string_view field) { return read(field, Type::kList); }
std::string dictionary(std::string_view field) { return read(field, Type::kDictionary); }

TEST(StructuredFieldTest, AListIsItsMembersBetweenCommas_Rfc9651_4_2_1) {
  EXPECT_EQ(list("a, \"b\" ,\t3,?1"), "a 'b' 3 yes");
  EXPECT_EQ(list("  a  "), "a");
  EXPECT_EQ(list("a, a"), "a a");
}

TEST(StructuredFieldTest, OfNothingIsEmptyAndNoFault_Rfc9651_4_2) {
  EXPECT_EQ(list(""), "");
  EXPECT_EQ(list("  "), "");
  EXPECT_EQ(dictionary(""), "");
}

TEST(StructuredFieldTest, NeedsAMemberOnEachSideOfAComma_Rfc9651_4_2_1) {
  for (const std::string_view field : {",", "a,", ",a", "a,,b", "a, ", "a b", "a;,b", "\ta"})
    EXPECT_EQ(list(field), "faulty") << field;
  for (const std::string_view field : {",", "a=1,", "a=1,,b", "a=1 b=2"})
    EXPECT_EQ(dictionary(field), "faulty") << field;
}

TEST(StructuredFieldTest, ADictionarysMemberWithoutAValueIsTrue_Rfc9651_4_2_2) {
  EXPECT_EQ(dictionary("a=1, b, c;x=2, d=?0, *e_-.*9=x"), "a=1 b=yes c=yes d=no *e_-.*9=x");
  for (const std::string_view field : {"A", "1a", "-a", "a=", "a= 1", "a =1", "aB=1", "\"a\"=1", "a=1=2"})
    EXPECT_EQ(dictionary(field), "faulty") << field;
}

TEST(StructuredFieldTest, PassesOverParametersAndTakesNoneThatAreNone_Rfc9651_4_2_3_2) {
  EXPECT_EQ(list("a;b;c=1; d=\"x, y\";*e=?0, b"), "a b") << "a comma in one divides nothing";
  EXPECT_EQ(list("(a;x b;y=1);z, c"), "(list) c");
  for (const std::string_view field : {"a;", "a;;b", "a;B", "a;b=", "a;b= 1", "a;b=(1)", "a ;b", "a;1", "a;b=\"x"})
    EXPECT_EQ(list(field), "faulty") << field;
}

TEST(StructuredFieldTest, AnInnerListIsItemsBetweenSpaces_Rfc9651_4_2_1_2) {
  EXPECT_EQ(list("(), ( ), (a  b ), (\"(\" 1.5)"), "(list) (list) (list) (list)");
  for (const std::string_view field : {"(", "(a", "(a,b)", "(a\tb)", "(a\"b\")", "((a))", "(a))", ")"})
    EXPECT_EQ(list(field), "faulty") << field;
}

TEST(StructuredFieldTest, NumbersHaveAtMostFifteenDigitsThreeOfThemBehindThePoint_Rfc9651_4_2_4) {
  EXPECT_EQ(list("0, -0, 007, 999999999999999, -999999999999999"), "0 0 7 999999999999999 -999999999999999");
  EXPECT_EQ(list("1.5, -0.125, 999999999999.999"), "decimal decimal decimal");
  for (const std::string_view field :
       {"1000000000000000", "1000000000000.5", "1.2345", "1.", "-", "--1", "+1", ".5", "-.5", "1a", "1.5.5", "- 1"})
    EXPECT_EQ(list(field), "faulty") << field;
}

TEST(StructuredFieldTest, StringsAreOfVisibleAsciiAndEscapeTheirOwnMarksAlone_Rfc9651_4_2_5) {
  EXPECT_EQ(list(R"("", "a b", "a\"b\\")"), R"('' 'a b' 'a\"b\\')") << "with their backslashes";
  for (const std::string_view field :
       {"\"", "\"a", "\"a\\", "\"\\a\"", "\"a\\\"", "\"a\tb\"", "\"a\x7f\"", "\"\xC3\xBC\"", "'a'", "\"a\"b"})
    EXPECT_EQ(list(field), "faulty") << field;
}

TEST(StructuredFieldTest, TokensBeginWithALetterOrAStar_Rfc9651_4_2_6) {
  EXPECT_EQ(list("A, *, a1/b:c, x.y~z!#$%&'*+-^_`|"), "A * a1/b:c x.y~z!#$%&'*+-^_`|");
  for (const std::string_view field : {"_a", "/a", "a@b", "a{", "\xC3\xBC"}) EXPECT_EQ(list(field), "faulty") << field;
}

TEST(StructuredFieldTest, TheOtherItemsHaveAMarkOfTheirOwn_Rfc9651_4_2_7) {
  EXPECT_EQ(list(":aGk=:, ::, ?0, @-12, %\"f%c3%bc\", %\"\""), "bytes bytes no @-12 display display");
  for (const std::string_view field : {":", ":a", ":a-b:", ":a b:", "?", "?2", "?true", "@", "@1.5", "@a", "%", "%a",
                                       "%\"a", "%\"%C3\"", "%\"%c\"", "%\"%\"", "%\"a\nb\"", "&", "="})
    EXPECT_EQ(list(field), "faulty") << field;
}

TEST(StructuredFieldTest, GivesNothingMoreBehindAFault_Rfc9651_4_2) {
  StructuredField members("a, &, b", Type::kList);
  EXPECT_EQ(members.next()->text, "a");
  EXPECT_TRUE(members.well_formed()) << "as far as it was read";
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(members.next().has_value());
  EXPECT_FALSE(members.well_formed());
}

}   // namespace
}   // namespace proxyd::caching
