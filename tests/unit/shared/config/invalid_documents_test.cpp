#include <gtest/gtest.h>

#include "shared/config/decode.h"
#include "tests/unit/shared/config/invalid_documents.h"

namespace proxyd::config {
namespace {

class InvalidDocument : public testing::TestWithParam<Wrong> {};

TEST_P(InvalidDocument, IsRefusedWhereItIsWrong) {
  const Wrong& wrong = GetParam();
  const Decoded decoded = decode(wrong.text, guess_format(wrong.text));
  ASSERT_EQ(decoded.problems.size(), 1u) << wrong.what << ": "
                                         << (decoded.problems.size() > 1 ? decoded.problems[1].message : "");
  const Problem& problem = decoded.problems.front();
  EXPECT_EQ(problem.code, wrong.code) << wrong.what << ": " << problem.message;
  EXPECT_EQ(problem.line, wrong.line) << wrong.what << ": " << problem.message;
  EXPECT_EQ(problem.column, wrong.column) << wrong.what << ": " << problem.message;
  if (wrong.pointer) {
    EXPECT_EQ(problem.pointer, wrong.pointer) << wrong.what;
  }
  EXPECT_EQ(problem.suggestion, wrong.suggestion) << wrong.what << ": " << problem.message;
  EXPECT_FALSE(problem.message.empty());
  EXPECT_TRUE(decoded.canonical.is_null()) << wrong.what;
  const bool syntax = problem.code == "syntax" || problem.code == "utf-8" ||
                      (problem.code == "duplicate-key" && problem.pointer.find("x-a") == std::string::npos);
  EXPECT_EQ(decoded.syntax_ok, !syntax) << wrong.what;
}

std::string test_name(const testing::TestParamInfo<Wrong>& info) {
  std::string name;
  bool upper = true;
  for (const char c : std::string(info.param.what)) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (letter) name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = !letter;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(BySyntax, InvalidDocument, testing::ValuesIn(wrong_by_syntax()), test_name);
INSTANTIATE_TEST_SUITE_P(ByShape, InvalidDocument, testing::ValuesIn(wrong_by_shape()), test_name);
INSTANTIATE_TEST_SUITE_P(ByText, InvalidDocument, testing::ValuesIn(wrong_by_text()), test_name);
INSTANTIATE_TEST_SUITE_P(ByRule, InvalidDocument, testing::ValuesIn(wrong_by_rule()), test_name);

TEST(InvalidDocuments, AreToldEveryProblemAtOnceInTheOrderOfTheText) {
  const Decoded decoded = decode(
      "version: 1\n"
      "upstreams:\n"
      "  app: { balance: fastest }\n"
      "hosts:\n"
      "  www:\n"
      "    names: [a.test]\n"
      "    routes:\n"
      "      - { name: a, upstream: application }\n"
      "      - { name: b, upstream: app, timeout: 5 }\n"
      "defaults: { compression: {} }\n",
      Format::kYaml);
  std::vector<std::pair<int, std::string>> found;
  for (const Problem& problem : decoded.problems) found.emplace_back(problem.line, problem.code);
  const std::vector<std::pair<int, std::string>> expected = {
      {3, "value"}, {8, "reference"}, {9, "unknown-key"}, {10, "unsupported"}};
  EXPECT_EQ(found, expected);
}

TEST(InvalidDocuments, DoNotReportWhatOnlyFollowsFromAnotherProblem) {
  const Decoded decoded = decode(
      "version: 1\n"
      "upstream:\n"
      "  app: {}\n"
      "hosts:\n"
      "  www: { names: [a.test], routes: [ { name: a, upstream: app } ] }\n",
      Format::kYaml);
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_EQ(decoded.problems[0].suggestion, "did you mean 'upstreams'?");
}

TEST(InvalidDocuments, ThatAreJsonHavePointersButNoLines) {
  const Decoded decoded = decode(Json{{"version", 1}, {"hosts", {{"h", {{"names", Json::array()}}}}}});
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_EQ(decoded.problems[0].pointer, "/hosts/h/names");
  EXPECT_EQ(decoded.problems[0].line, 0);
  EXPECT_TRUE(decoded.syntax_ok);
}

}   // namespace
}   // namespace proxyd::config
