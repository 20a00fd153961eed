#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

std::string first_code(const Decoded& decoded) { return decoded.valid() ? "" : decoded.problems.front().code; }

TEST(Warnings, NameTheRouteThatTakesAllRequests) {
  const auto warnings = [](const std::string& host) {
    const Decoded decoded = decode("version: 1\nhosts:\n  h: { names: [a.test], " + host + " }\n", Format::kYaml);
    EXPECT_TRUE(decoded.valid()) << decoded.problems.front().message;
    std::string text;
    for (const Problem& warning : decoded.warnings) text += warning.pointer + ";";
    return text;
  };
  const std::string b = ", ready: true }, { name: b, ready: true, match: ";
  EXPECT_EQ(warnings("routes: [ { name: a, match: { path: /x }" + b + "{ path: /x, methods: [GET] } } ]"),
            "/hosts/h/routes/1;");
  EXPECT_EQ(warnings("routes: [ { name: a, match: { path: /x, methods: [GET] }" + b + "{ path: /x } } ]"), "");
  EXPECT_EQ(
      warnings("routes: [ { name: a, match: { path: /x, methods: [GET] }" + b + "{ path: /x, methods: [GET] } } ]"),
      "/hosts/h/routes/1;");
  EXPECT_EQ(warnings("routes: [ { name: a" + b + "{ path_prefix: /x } } ]"), "");
  EXPECT_EQ(warnings("first_match: true, routes: [ { name: a" + b + "{ path_prefix: /x } } ]"), "/hosts/h/routes/1;");
  EXPECT_EQ(warnings("first_match: true, routes: [ { name: a, match: { path_prefix: /x }" + b + "{ path: /x/y } } ]"),
            "/hosts/h/routes/1;");
  EXPECT_EQ(warnings("first_match: true, routes: [ { name: a, match: { path_prefix: /x }" + b + "{ path: /xy } } ]"),
            "");
}

TEST(Warnings, NameALimitOfAHeadThatIsWiderThanWhatIsReceived) {
  const std::string defaults = "version: 1\ndefaults: { limits: { request_headers: 16KiB, header_count: off } }\n";
  const std::string host =
      "hosts:\n  h:\n    names: [a.test]\n    limits: { request_headers: 17KiB, header_count: off }\n";
  const std::string routes =
      "    routes: [ { name: a, ready: true, limits: { request_line: off, request_headers: 1KiB } } ]\n";
  const Decoded decoded = decode(defaults + host + routes, Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  ASSERT_EQ(decoded.warnings.size(), 2u);
  EXPECT_EQ(decoded.warnings[0].pointer, "/hosts/h/limits/request_headers");
  EXPECT_EQ(decoded.warnings[1].pointer, "/hosts/h/routes/0/limits/request_line");
}

TEST(Warnings, NameALimitOfAHeadThatIsWiderThanAnyHead) {
  const auto warnings = [](const std::string& defaults, const std::string& host) {
    const Decoded decoded = decode("version: 1\ndefaults: { limits: { " + defaults + " } }\nhosts:\n  h: { names: " +
                                       "[a.test], routes: [ { name: a, ready: true } ], limits: { " + host + " } }\n",
                                   Format::kYaml);
    EXPECT_TRUE(decoded.valid());
    std::string text;
    for (const Problem& warning : decoded.warnings) text += warning.pointer + ";";
    return text;
  };
  EXPECT_EQ(warnings("request_line: 128KiB, request_headers: off, header_count: 1000", ""), "");
  EXPECT_EQ(warnings("request_line: 129KiB", ""), "/defaults/limits/request_line;");
  EXPECT_EQ(warnings("header_count: 1001", ""), "/defaults/limits/header_count;");
  EXPECT_EQ(warnings("request_headers: off", "request_headers: 128KiB"), "");
  EXPECT_EQ(warnings("request_headers: off", "request_headers: 129KiB"), "/hosts/h/limits/request_headers;");
  EXPECT_EQ(warnings("request_headers: 120KiB", "request_headers: off"), "/hosts/h/limits/request_headers;");
}

TEST(Warnings, NameAnUpstreamWithoutTargetsAndRefuseNothing) {
  const Decoded decoded = decode("version: 1\nupstreams:\n  u: {}\n", Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  ASSERT_EQ(decoded.warnings.size(), 1u);
  EXPECT_EQ(decoded.warnings[0].code, "empty");
  EXPECT_EQ(decoded.warnings[0].line, 3);
}

TEST(HostNames, MayBeSharedByHostsOfDifferentListeners) {
  const std::string listeners = "version: 1\nlisteners: { a: { address: \":1\" }, b: { address: \":2\" } }\nhosts:\n";
  EXPECT_EQ(first_code(decode(
                listeners + "  x: { names: [n.test], listeners: [a] }\n  y: { names: [n.test], listeners: [b] }\n",
                Format::kYaml)),
            "");
  EXPECT_EQ(first_code(decode(listeners + "  x: { names: [n.test], listeners: [a] }\n  y: { names: [n.test] }\n",
                              Format::kYaml)),
            "clash");
}

TEST(ListenAddresses, OfTheTwoFamiliesDoNotClash) {
  const auto code = [](const std::string& addresses) {
    return first_code(decode("version: 1\nlisteners: { a: { addresses: [" + addresses + "] } }\n", Format::kYaml));
  };
  EXPECT_EQ(code("\"0.0.0.0:80\", \"[::]:80\""), "");
  EXPECT_EQ(code("\"127.0.0.1:80\", \"127.0.0.2:80\""), "");
  EXPECT_EQ(code("\"[::]:80\", \"[::1]:80\""), "clash");
  EXPECT_EQ(code("\"unix:/a\", \"unix:/a\""), "clash");
}

}   // namespace
}   // namespace proxyd::config
