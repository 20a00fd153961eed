#include "shared/config/membership.h"

#include <gtest/gtest.h>

#include "shared/config/decode.h"

namespace proxyd::config {
namespace {

TEST(Membership, AnUpstreamThatIsDynamicHasItsMembersAndNoOthers) {
  Document document;
  document.upstreams["dynamic"].membership = Membership::kDynamic;
  document.upstreams["dynamic"].targets["old"] = Target{.id = "old"};
  document.upstreams["empty"].membership = Membership::kDynamic;
  document.upstreams["declared"].targets["own"] = Target{.id = "own"};
  Members members;
  members["dynamic"]["a"] = Target{.id = "a", .address = "x:1"};
  members["declared"]["b"] = Target{.id = "b"};
  members["nowhere"]["c"] = Target{.id = "c"};
  put_members(document, members);
  EXPECT_EQ(document.upstreams.size(), 3u);
  EXPECT_EQ(document.upstreams["dynamic"].targets, members["dynamic"]);
  EXPECT_TRUE(document.upstreams["empty"].targets.empty());
  EXPECT_TRUE(document.upstreams["declared"].targets.contains("own"));
  EXPECT_EQ(document.upstreams["declared"].targets.size(), 1u);
}

TEST(Membership, ATargetWithoutANameIsCalledByItsAddress) {
  EXPECT_EQ(name_for_address("10.0.0.1:80"), "10.0.0.1-80");
  EXPECT_EQ(name_for_address("[::1]:80"), "---1--80");
  EXPECT_EQ(name_for_address("unix:/run/a b"), "unix--run-a-b");
  EXPECT_EQ(name_for_address(std::string(100, 'a')), std::string(64, 'a'));
}

TEST(Membership, TheDocumentNamesNoTargetOfADynamicUpstream) {
  const auto decoded = decode("version: 1\nupstreams: { app: { membership: dynamic, targets: {} } }\n", Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  EXPECT_EQ(decoded.document.upstreams.at("app").membership, Membership::kDynamic);
  EXPECT_TRUE(decoded.warnings.empty());
  const auto both = decode(
      "version: 1\nupstreams: { app: { membership: dynamic, targets: { a: { address: 'x:1' } } } }\n", Format::kYaml);
  ASSERT_EQ(both.problems.size(), 1u);
  EXPECT_EQ(both.problems[0].pointer, "/upstreams/app/targets");
  EXPECT_NE(both.problems[0].message.find("proxyctl upstream target add app"), std::string::npos);
}

TEST(Membership, ALeaseIsNothingForADocument) {
  const auto decoded =
      decode("version: 1\nupstreams: { app: { targets: { a: { address: 'x:1', lease: 90s } } } }\n", Format::kYaml);
  ASSERT_EQ(decoded.problems.size(), 1u);
  EXPECT_EQ(decoded.problems[0].pointer, "/upstreams/app/targets/a/lease");
  EXPECT_NE(decoded.problems[0].message.find("membership: dynamic"), std::string::npos);
}

}   // namespace
}   // namespace proxyd::config
