#include "worker/routing/purge_access.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace proxyd::routing {
namespace {

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

bool admits(const config::Purge& settings, std::string_view peer, Lines lines = {}, const char* content = "secret") {
  http::Arena arena;
  http::Fields fields(arena);
  for (const auto& [name, value] : lines) fields.add(name, value);
  const PurgeAccess access(settings, {{"/token", content}});
  return access.admits(config::parse_mapped_address(peer).value(), fields);
}

const config::Purge kByAddress{.allow = {"10.0.0.0/8", "2001:db8::/32"}};
const config::Purge kByToken{.token_file = "/token"};
const config::Purge kByBoth{.allow = {"10.0.0.0/8"}, .token_file = "/token"};

TEST(PurgeAccess, IsByTheAddressOfThePeer) {
  EXPECT_TRUE(admits(kByAddress, "10.1.2.3"));
  EXPECT_TRUE(admits(kByAddress, "::ffff:10.1.2.3"));
  EXPECT_TRUE(admits(kByAddress, "2001:db8::1"));
  EXPECT_FALSE(admits(kByAddress, "11.0.0.1", {{"X-Forwarded-For", "10.1.2.3"}}));
}

TEST(PurgeAccess, IsByTheToken) {
  EXPECT_TRUE(admits(kByToken, "192.0.2.1", {{"Authorization", "Bearer secret"}}));
  EXPECT_TRUE(admits(kByToken, "192.0.2.1", {{"authorization", "bearer  secret"}}));
  EXPECT_TRUE(admits(kByToken, "192.0.2.1", {{"X-Purge-Token", "secret"}}));
  EXPECT_TRUE(admits(kByToken, "192.0.2.1", {{"Authorization", "Basic eDp5"}, {"X-Purge-Token", "secret"}}));
  for (const std::string_view wrong : {"", "secre", "secrets", "Secret"}) {
    EXPECT_FALSE(admits(kByToken, "192.0.2.1", {{"X-Purge-Token", wrong}})) << wrong;
    EXPECT_FALSE(admits(kByToken, "192.0.2.1", {{"Authorization", "Bearer " + std::string(wrong)}})) << wrong;
  }
  EXPECT_FALSE(admits(kByToken, "192.0.2.1", {{"Authorization", "secret"}}));
  EXPECT_FALSE(admits(kByToken, "192.0.2.1"));
}

TEST(PurgeAccess, NeedsBothWhereBothAreGiven) {
  EXPECT_TRUE(admits(kByBoth, "10.1.2.3", {{"X-Purge-Token", "secret"}}));
  EXPECT_FALSE(admits(kByBoth, "10.1.2.3"));
  EXPECT_FALSE(admits(kByBoth, "192.0.2.1", {{"X-Purge-Token", "secret"}}));
}

TEST(PurgeAccess, IsNobodysWithoutASecretOrARule) {
  EXPECT_FALSE(admits(kByToken, "192.0.2.1", {{"X-Purge-Token", ""}}, ""));
  EXPECT_FALSE(admits(kByToken, "192.0.2.1", {{"Authorization", "Bearer "}}, ""));
  EXPECT_FALSE(admits({.token_file = "/other"}, "192.0.2.1", {{"X-Purge-Token", "secret"}}));
  EXPECT_FALSE(admits({}, "192.0.2.1"));
}

}   // namespace
}   // namespace proxyd::routing
