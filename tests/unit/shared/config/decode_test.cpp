#include "shared/config/decode.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "shared/config/snapshot.h"

namespace proxyd::config {
namespace {

std::string example(const std::string& name) {
  std::ifstream file(std::string(PROXYD_SOURCE_DIR) + "/etc/examples/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Wrong {
  const char* text;
  int line;
  int column;
  const char* code;
};

const Wrong kWrong[] = {
    {"version: 1\nhostz: {}\n", 2, 1, "unknown-key"},
    {"version: 1\nversion: 1\n", 2, 1, "duplicate-key"},
    {"{\"version\": 1, \"version\": 1}", 1, 16, "duplicate-key"},
    {"listeners: {}\n", 1, 1, "missing"},
    {"version: 2\n", 1, 10, "range"},
    {"version: one\n", 1, 10, "type"},
    {"version: 1\ndefaults: { timeouts: { connect: 30 } }\n", 2, 34, "unit"},
    {"version: 1\ndefaults: { timeouts: { connect: 30x } }\n", 2, 34, "unit"},
    {"version: 1\ndefaults: { limits: { request_body: 64 } }\n", 2, 37, "unit"},
    {"version: 1\ndefaults: { trusted_proxies: [10.0.0.1/8] }\n", 2, 31, "format"},
    {"version: 1\ndefaults: { compression: {} }\n", 2, 13, "unsupported"},
    {"version: 1\nrate_limits: { a: { rate: 5 } }\n", 2, 27, "type"},
    {"version: 1\nlisteners: { a: { address: \"nowhere\" } }\n", 2, 28, "format"},
    {"version: 1\nlisteners: { a: {} }\n", 2, 17, "missing"},
    {"version: 1\nlisteners: { a: { address: \":80\" }, b: { address: \":80\" } }\n", 2, 51, "clash"},
    {"version: 1\nlisteners: { a: { address: \":80\", protocols: [h2] } }\n", 2, 46, "exclusive"},
    {"version: 1\nlisteners: { \"a b\": { address: \":80\" } }\n", 2, 14, "name"},
    {"version: 1\nupstreams: { u: { balance: fair } }\n", 2, 28, "value"},
    {"version: 1\nupstreams: { u: { targets: { t: { address: \"srv:http._tcp.x\" } } } }\n", 2, 44, "format"},
    {"version: 1\nupstreams: { u: { targets: { t: { address: \"h:1\", weight: 10001 } } } }\n", 2, 59, "range"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r, upstream: nope } ] } }\n", 2, 58, "reference"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r } ] } }\n", 2, 37, "missing"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r, ready: true, redirect: { to: / } } ] } }\n", 2, 37,
     "exclusive"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r, ready: true, match: { path_regex: \"(\" } } ] } }\n",
     2, 82, "format"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r, redirect: { to: \"{nope}\" } } ] } }\n", 2, 64,
     "format"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r, redirect: { to: \"{1}\" } } ] } }\n", 2, 64,
     "variable"},
    {"version: 1\nhosts: { h: { names: [a], routes: [ { name: r, ready: true }, { name: r, ready: true } ] } }\n", 2,
     71, "clash"},
    {"version: 1\nlisteners: { l: { address: \":1\" } }\nhosts: { h: { names: [a] }, i: { names: [a] } }\n", 3, 42,
     "clash"},
    {"version: 1\ndefaults: { headers: { request: { set: { Content-Length: \"1\" } } } }\n", 2, 42, "name"},
    {"version: 1\nlogging: { access: [ { to: file } ] }\n", 2, 22, "missing"},
    {"version: [1\n", 2, 1, "syntax"},
};

TEST(Decode, NamesLineColumnAndKindOfWhatIsWrong) {
  for (const Wrong& wrong : kWrong) {
    const Decoded decoded = decode(wrong.text, guess_format(wrong.text));
    ASSERT_FALSE(decoded.valid()) << wrong.text;
    const Problem& problem = decoded.problems.front();
    EXPECT_EQ(problem.code, wrong.code) << wrong.text << problem.message;
    EXPECT_EQ(problem.line, wrong.line) << wrong.text << problem.message;
    EXPECT_EQ(problem.column, wrong.column) << wrong.text << problem.message;
  }
}

TEST(Decode, FindsAllProblemsAtOnce) {
  const Decoded decoded = decode("version: 1\nhostz: {}\ndefaults: { timeouts: { connect: 30 } }\n", Format::kYaml);
  EXPECT_EQ(decoded.problems.size(), 2u);
  EXPECT_EQ(decoded.problems[0].suggestion, "did you mean 'hosts'?");
}

TEST(Decode, EveryExampleIsAFixedPointOfExport) {
  for (const char* name : {"reverse-proxy.yaml", "several-hosts.yaml", "cached-site.yaml", "everything.yaml"}) {
    const Decoded decoded = decode(example(name), Format::kYaml);
    ASSERT_TRUE(decoded.valid()) << name << ": " << decoded.problems.front().message;
    const Decoded again = decode(to_yaml(decoded.canonical), Format::kYaml);
    ASSERT_TRUE(again.valid()) << to_yaml(decoded.canonical) << again.problems.front().message;
    EXPECT_EQ(again.canonical, decoded.canonical) << name;
    EXPECT_EQ(again.document, decoded.document) << name;
    EXPECT_TRUE(diff(decoded.canonical, again.canonical).empty());
  }
}

TEST(Decode, InheritsKeyByKeyAndNullDrops) {
  const Decoded decoded = decode(
      "version: 1\ndefaults: { timeouts: { connect: 1s, first_byte: 5s } }\nhosts: { h: { names: [a], timeouts: { "
      "connect: 3s }, routes: [ { name: r, ready: true, "
      "timeouts: { first_byte: null } } ] } }\n",
      Format::kYaml);
  ASSERT_TRUE(decoded.valid()) << decoded.problems.front().message;
  const Timeouts& timeouts = decoded.document.hosts.at("h").routes.front().timeouts;
  EXPECT_EQ(timeouts.connect, seconds(3));
  EXPECT_EQ(timeouts.first_byte, Timeouts{}.first_byte);
}

TEST(Decode, OmitsDefaultsFromTheCanonicalForm) {
  const Decoded decoded = decode(
      "version: 1\ndefaults: { timeouts: { connect: 2000ms } }\nlogging: { error: { level: info } }\n", Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  EXPECT_EQ(decoded.canonical.dump(), "{\"version\":1}");
}

TEST(Decode, BoundsAliasesAndDepth) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 7; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += std::string(k ? ", " : "") + "*a" + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_EQ(decode(bomb, Format::kYaml).problems.front().code, "nodes");
  EXPECT_EQ(decode(std::string(100, '['), Format::kJson).problems.front().code, "depth");
}

TEST(Decode, WarnsOfARouteThatIsNeverReached) {
  const Decoded decoded = decode(
      "version: 1\nhosts: { h: { names: [a], routes: [ { name: all, ready: true }, { name: late, match: { path_prefix: "
      "/ }, ready: true } ] } }\n",
      Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  ASSERT_EQ(decoded.warnings.size(), 1u);
  EXPECT_NE(decoded.warnings[0].message.find("'all'"), std::string::npos);
}

TEST(Diff, SaysWhichChangesRebind) {
  const Json from = decode("version: 1\nlisteners: { l: { address: \":1\" } }\n", Format::kYaml).canonical;
  const Json to =
      decode("version: 1\nlisteners: { l: { address: \":2\", underscore_fields: pass } }\n", Format::kYaml).canonical;
  const auto changes = diff(from, to);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].change_class, "rebind");
  EXPECT_EQ(changes[1].change_class, "live");
}

TEST(Snapshot, ComesBackAsItWasSealed) {
  Snapshot snapshot{7, 3, "{\"version\":1}", {}};
  snapshot.materials.targets["a/b"] = {{{"127.0.0.1:80", 4}}, Admission::kDraining, 12};
  snapshot.materials.files["/x"] = "secret";
  auto sealed = seal(snapshot);
  ASSERT_TRUE(sealed);
  auto read = unseal(sealed->value());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->revision, 7u);
  EXPECT_EQ(read->canonical, snapshot.canonical);
  EXPECT_EQ(read->materials, snapshot.materials);
}

TEST(Snapshot, RefusesMemoryThatIsNotSealed) { EXPECT_FALSE(unseal(0)); }

}   // namespace
}   // namespace proxyd::config
