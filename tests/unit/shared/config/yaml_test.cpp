#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

TEST(Yaml, FollowsTheCoreSchemaOfYaml12) {
  const Decoded decoded = decode(
      "version: 0x1\nupstreams:\n  no: { targets: { on: { address: \"a:1\", weight: 010 }, off: { address: \"a:2\", "
      "weight: +7 } } }\n"
      "hosts: { yes: { names: [no], routes: [ { name: y, respond: { body: yes, content_type: on } } ] } }\n",
      Format::kYaml);
  ASSERT_TRUE(decoded.valid()) << decoded.problems.front().message;
  EXPECT_EQ(decoded.document.upstreams.at("no").targets.at("on").weight, 10u);
  EXPECT_EQ(decoded.document.upstreams.at("no").targets.at("off").weight, 7u);
  EXPECT_EQ(decoded.document.hosts.at("yes").routes[0].respond->body, "yes");
}

TEST(Yaml, GivesAnAliasTheValueOfItsAnchor) {
  const Decoded decoded = decode(
      "version: 1\nupstreams:\n  a: &same { targets: { t: { address: \"a:1\" } } }\n  b: *same\n", Format::kYaml);
  ASSERT_TRUE(decoded.valid()) << decoded.problems.front().message;
  EXPECT_EQ(decoded.canonical["upstreams"]["a"], decoded.canonical["upstreams"]["b"]);
}

}   // namespace
}   // namespace proxyd::config
