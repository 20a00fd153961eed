#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

Json canonical(const std::string& text) {
  const Decoded decoded = decode("version: 1\n" + text, Format::kYaml);
  EXPECT_TRUE(decoded.valid()) << text << (decoded.valid() ? "" : decoded.problems.front().message);
  return decoded.canonical;
}

// "op pointer class" of each change.
std::vector<std::string> changes(const std::string& from, const std::string& to) {
  std::vector<std::string> lines;
  for (const Change& change : diff(canonical(from), canonical(to))) {
    lines.push_back(change.op + " " + change.pointer + " " + change.change_class);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Differences, AreNoneBetweenTwoSpellingsOfOneDocument) {
  EXPECT_EQ(changes("defaults: { timeouts: { tunnel: 60m, connect: 2000ms } }\nhosts: {}\n", "defaults: {}\n"),
            Lines{});
}

TEST(Differences, RebindOnlyWhatConcernsTheSocketOfAListener) {
  const std::string before = "listeners: { l: { address: \":1\" } }\n";
  EXPECT_EQ(changes(before, "listeners: { l: { address: \":2\" } }\n"), Lines{"replace /listeners/l/addresses rebind"});
  EXPECT_EQ(changes(before, "listeners: { l: { address: \":1\", backlog: 5 } }\n"),
            Lines{"add /listeners/l/backlog rebind"});
  EXPECT_EQ(changes(before, "listeners: { l: { address: \":1\", freebind: true } }\n"),
            Lines{"add /listeners/l/freebind rebind"});
  EXPECT_EQ(changes(before, "listeners: { l: { address: \":1\", max_connections: 9 } }\n"),
            Lines{"add /listeners/l/max_connections live"});
  EXPECT_EQ(changes(before, "listeners: { l: { address: \":1\", proxy_protocol: v2 } }\n"),
            Lines{"add /listeners/l/proxy_protocol live"});
  EXPECT_EQ(changes(before, "listeners: { l: { address: \":1\", underscore_fields: drop } }\n"),
            Lines{"add /listeners/l/underscore_fields live"});
}

TEST(Differences, CallANewOrAGoneListenerARebind) {
  EXPECT_EQ(changes("", "listeners: { l: { address: \":1\" } }\n"), Lines{"add /listeners rebind"});
  EXPECT_EQ(changes("listeners: { a: { address: \":1\" }, b: { address: \":2\" } }\n",
                    "listeners: { b: { address: \":2\" } }\n"),
            Lines{"remove /listeners/a rebind"});
}

TEST(Differences, ComeInTheOrderOfTheDocument) {
  const Lines expected = {"add /defaults live", "remove /upstreams/a/balance live", "remove /upstreams/b live",
                          "add /upstreams/c live", "add /logging live"};
  const std::string before = "upstreams: { a: { balance: round_robin }, b: {} }\n";
  const std::string after =
      "logging: { access: [ { to: stdout } ] }\nupstreams: { c: {}, a: {} }\ndefaults: { raw_path: true }\n";
  EXPECT_EQ(changes(before, after), expected);
}

TEST(Differences, NameTheOneRouteThatChanged) {
  const auto routes = [](const std::string& second) {
    return "hosts: { h: { names: [a.test], routes: [ { name: a, match: { path: /a }, ready: true }, { name: b, " +
           second + " } ] } }\n";
  };
  EXPECT_EQ(changes(routes("respond: {}"), routes("respond: { status: 403 }")),
            Lines{"add /hosts/h/routes/1/respond/status live"});
}

// A document with these routes, each one "name[=status]".
std::string with_routes(const Lines& routes) {
  std::string text = "hosts: { h: { names: [a.test], routes: [ ";
  for (const std::string& route : routes) {
    const std::string name = route.substr(0, route.find('='));
    const std::string status = route.size() > name.size() ? route.substr(name.size() + 1) : "200";
    text += "{ name: " + name + ", match: { path: /" + name + " }, respond: { status: " + status + " } }, ";
  }
  return text + "] } }\n";
}

TEST(Differences, TellRoutesThatGoOrComeByTheirNames) {
  EXPECT_EQ(changes(with_routes({"a", "b", "c"}), with_routes({"a", "c"})), Lines{"remove /hosts/h/routes/1 live"});
  EXPECT_EQ(changes(with_routes({"a", "b"}), with_routes({"x", "a", "b"})), Lines{"add /hosts/h/routes/0 live"});
  EXPECT_EQ(changes(with_routes({"a", "b"}), with_routes({"a", "x"})),
            (Lines{"remove /hosts/h/routes/1 live", "add /hosts/h/routes/1 live"}));
  EXPECT_EQ(changes(with_routes({"a", "b", "c"}), with_routes({"c=403"})),
            (Lines{"remove /hosts/h/routes/0 live", "remove /hosts/h/routes/1 live",
                   "add /hosts/h/routes/2/respond/status live"}));
}

TEST(Differences, TellTheOrderOfRoutesApartFromTheirContent) {
  EXPECT_EQ(changes(with_routes({"a", "b", "c"}), with_routes({"c", "a", "b"})), Lines{"reorder /hosts/h/routes live"});
  const auto found = diff(canonical(with_routes({"a", "b", "c"})), canonical(with_routes({"x", "c", "a"})));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[1].op, "reorder");
  EXPECT_EQ(found[1].from, (Json{"a", "c"}));
  EXPECT_EQ(found[1].to, (Json{"c", "a"}));
}

TEST(Differences, CarryBothValues) {
  const auto found =
      diff(canonical("upstreams: { a: { host: target } }\n"), canonical("upstreams: { a: { host: b.test } }\n"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].from, "target");
  EXPECT_EQ(found[0].to, "b.test");
}

TEST(Differences, FromNothingAreTheWholeDocument) {
  const auto found = diff(nullptr, canonical("upstreams: { a: {} }\n"));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].pointer, "/version");
  EXPECT_TRUE(found[0].from.is_null());
  EXPECT_EQ(found[1].pointer, "/upstreams");
}

}   // namespace
}   // namespace proxyd::config
