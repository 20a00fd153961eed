#include <fmt/format.h>
#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

std::string first_code(const Decoded& decoded) { return decoded.valid() ? "" : decoded.problems.front().code; }

Json document_with_targets(size_t count) {
  Json targets = Json::object();
  for (size_t i = 0; i < count; ++i) targets[fmt::format("t{:05}", i)] = Json{{"address", "10.0.0.1:80"}};
  return {{"version", 1}, {"upstreams", {{"u", {{"targets", std::move(targets)}}}}}};
}

Json document_with_upstreams(size_t count, size_t targets_each) {
  Json upstreams = Json::object();
  for (size_t i = 0; i < count; ++i) {
    upstreams[fmt::format("u{:05}", i)] = document_with_targets(targets_each)["upstreams"]["u"];
  }
  return {{"version", 1}, {"upstreams", std::move(upstreams)}};
}

Json document_with_hosts(size_t count, size_t routes_each) {
  Json hosts = Json::object();
  for (size_t i = 0; i < count; ++i) {
    Json routes = Json::array();
    for (size_t k = 0; k < routes_each; ++k) {
      routes.push_back(
          {{"name", fmt::format("r{}", k)}, {"match", {{"path", fmt::format("/{}", k)}}}, {"ready", true}});
    }
    hosts[fmt::format("h{:05}", i)] = Json{{"names", {fmt::format("h{}.test", i)}}, {"routes", std::move(routes)}};
  }
  return {{"version", 1}, {"hosts", std::move(hosts)}};
}

TEST(Bounds, OfTargetsUpstreamsHostsAndRoutesAreExact) {
  EXPECT_EQ(first_code(decode(document_with_targets(4096))), "");
  EXPECT_EQ(first_code(decode(document_with_targets(4097))), "range");
  EXPECT_EQ(first_code(decode(document_with_targets(10'000))), "range");
  EXPECT_EQ(first_code(decode(document_with_upstreams(2, 2049))), "range");
  EXPECT_EQ(first_code(decode(document_with_upstreams(1024, 1))), "");
  EXPECT_EQ(first_code(decode(document_with_upstreams(1025, 0))), "range");
  EXPECT_EQ(first_code(decode(document_with_upstreams(10'000, 1))), "range");
  EXPECT_EQ(first_code(decode(document_with_hosts(1024, 1))), "");
  EXPECT_EQ(first_code(decode(document_with_hosts(1025, 1))), "range");
  EXPECT_EQ(first_code(decode(document_with_hosts(1, 1024))), "");
  EXPECT_EQ(first_code(decode(document_with_hosts(1, 1025))), "range");
}

TEST(Bounds, OfListenersAreSixtyFour) {
  Json listeners = Json::object();
  for (int i = 0; i < 64; ++i) listeners[fmt::format("l{}", i)] = Json{{"address", fmt::format(":{}", i + 1)}};
  EXPECT_EQ(first_code(decode(Json{{"version", 1}, {"listeners", listeners}})), "");
  listeners["more"] = Json{{"address", ":99"}};
  EXPECT_EQ(first_code(decode(Json{{"version", 1}, {"listeners", listeners}})), "range");
}

TEST(Bounds, OfTheTextAreEightMebibytes) {
  const std::string comment(8 * 1024 * 1024 - 16, '#');
  EXPECT_EQ(first_code(decode("version: 1\n" + comment, Format::kYaml)), "");
  EXPECT_EQ(first_code(decode("version: 1\n" + comment + "######", Format::kYaml)), "size");
  EXPECT_EQ(first_code(decode(std::string(8 * 1024 * 1024 + 1, ' '), Format::kJson)), "size");
}

TEST(Bounds, OfDepthHoldForBothSyntaxes) {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  EXPECT_EQ(first_code(decode("{\"a\": " + deep + "}", Format::kJson)), "depth");
  EXPECT_EQ(first_code(decode("a: " + deep + "\n", Format::kYaml)), "depth");
  const std::string abyss(1'000'000, '[');
  EXPECT_EQ(first_code(decode(abyss, Format::kJson)), "depth");
  EXPECT_EQ(first_code(decode(abyss, Format::kYaml)), "syntax");
}

TEST(Bounds, OfValuesCountWhatAliasesStandFor) {
  std::string bomb = "version: 1\nx0: &x0 [a, a, a, a, a, a, a, a, a, a]\n";
  for (int i = 1; i < 12; ++i) {
    bomb +=
        fmt::format("x{0}: &x{0} [*x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}, *x{1}]\n", i, i - 1);
  }
  EXPECT_EQ(first_code(decode(bomb, Format::kYaml)), "nodes");
  EXPECT_EQ(first_code(decode("a: &a [*a]\n", Format::kYaml)), "depth");
}

TEST(Bounds, OfValuesStopAYamlTextBeforeATreeIsMadeOfIt) {
  std::string flow = "version: 1\na: [";
  for (int i = 0; i < 100'000; ++i) flow += "a,";
  const Decoded decoded = decode(flow + "]\n", Format::kYaml);
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_EQ(decoded.problems[0].code, "nodes");
  EXPECT_EQ(decoded.problems[0].line, 2);
}

TEST(Bounds, OfProblemsKeepAnAnswerReadable) {
  std::string text = "version: 1\n";
  for (int i = 0; i < 40'000; ++i) text += fmt::format("k{}: 1\n", i);
  const Decoded decoded = decode(text, Format::kYaml);
  ASSERT_EQ(decoded.problems.size(), 1001u);
  EXPECT_EQ(decoded.problems.back().code, "too-many");
}

TEST(Bounds, OfOneMapDoNotDependOnItsOrder) {
  std::string text = "{\"version\": 1";
  for (int i = 0; i < 40'000; ++i) text += fmt::format(",\"k{}\": 1", i);
  text += ", \"k0\": 2}";
  const Decoded decoded = decode(text, Format::kJson);
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_EQ(decoded.problems[0].code, "duplicate-key");
}

}   // namespace
}   // namespace proxyd::config
