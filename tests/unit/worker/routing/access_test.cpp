#include "worker/routing/access.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "shared/config/cidr.h"

namespace proxyd::routing {
namespace {

bool admits(const AccessList& list, const std::string& client) {
  return list.admits(config::parse_mapped_address(client).value());
}

std::string deciding(const AccessList& list, const std::string& client) {
  return std::string(list.decide(config::parse_mapped_address(client).value()).network);
}

TEST(AccessList, WithAllowDeniesEveryoneElse) {
  const AccessList office({"office", {"10.0.0.0/8", "2001:db8::/32"}, {}});
  EXPECT_TRUE(admits(office, "10.255.255.255"));
  EXPECT_TRUE(admits(office, "2001:db8:ffff::1"));
  EXPECT_FALSE(admits(office, "11.0.0.0"));
  EXPECT_FALSE(admits(office, "9.255.255.255"));
  EXPECT_FALSE(admits(office, "2001:db9::"));
  EXPECT_EQ(deciding(office, "11.0.0.0"), "");
}

TEST(AccessList, WithDenyAloneAllowsEveryoneElse) {
  const AccessList bots({"bots", {}, {"198.51.100.0/24"}});
  EXPECT_FALSE(admits(bots, "198.51.100.7"));
  EXPECT_TRUE(admits(bots, "198.51.101.0"));
  EXPECT_TRUE(admits(bots, "::1"));
}

TEST(AccessList, TheLongestPrefixDecides) {
  const AccessList list({"l", {"10.0.0.0/8", "10.1.2.3"}, {"10.1.0.0/16"}});
  EXPECT_TRUE(admits(list, "10.0.255.255"));
  EXPECT_FALSE(admits(list, "10.1.2.2"));
  EXPECT_TRUE(admits(list, "10.1.2.3"));
  EXPECT_FALSE(admits(list, "10.1.2.4"));
  EXPECT_TRUE(admits(list, "10.2.0.0"));
  EXPECT_EQ(deciding(list, "10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(deciding(list, "10.1.2.4"), "10.1.0.0/16");
}

TEST(AccessList, HoldsTheWholeAddressSpace) {
  const AccessList all({"l", {"::/0"}, {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"}});
  EXPECT_FALSE(admits(all, "::"));
  EXPECT_TRUE(admits(all, "::1"));
  EXPECT_FALSE(admits(all, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_TRUE(admits(all, "192.0.2.1"));
  EXPECT_TRUE(admits(AccessList({"none", {}, {}}), "192.0.2.1"));
}

// What the document says, network by network.
bool by_the_book(const config::AccessList& list, const AccessList::Address& client) {
  int longest = -1;
  bool allowed = list.allow.empty();
  const auto ask = [&](const std::vector<std::string>& texts, bool verdict) {
    for (const std::string& text : texts) {
      const auto cidr = config::Cidr::parse(text).value();
      if (!cidr.holds(client) || cidr.prefix() <= longest) continue;
      longest = cidr.prefix();
      allowed = verdict;
    }
  };
  ask(list.allow, true);
  ask(list.deny, false);
  return allowed;
}

TEST(AccessList, DecidesAsEachNetworkAskedInTurnWould) {
  std::mt19937 random(7);
  const auto number = [&random](uint32_t most) { return static_cast<uint32_t>(random() % (most + 1)); };
  for (int round = 0; round < 200; ++round) {
    config::AccessList settings{"l", {}, {}};
    std::vector<std::string> all;
    for (uint32_t i = 0, count = number(20); i < count; ++i) {
      const uint32_t length = 20 + number(12);
      const uint32_t address =
          (0x0A000000u | number(0xFFF)) & ~static_cast<uint32_t>((uint64_t{1} << (32 - length)) - 1);
      const std::string text =
          fmt::format("{}.{}.{}.{}/{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255, length);
      const bool is_new = std::find(all.begin(), all.end(), text) == all.end();
      if (is_new) (number(1) == 0 ? settings.allow : settings.deny).push_back(text);
      all.push_back(text);
    }
    const AccessList list(settings);
    for (int i = 0; i < 200; ++i) {
      const auto client = config::parse_mapped_address(fmt::format("10.0.{}.{}", number(17), number(255))).value();
      ASSERT_EQ(list.admits(client), by_the_book(settings, client));
    }
  }
}

}   // namespace
}   // namespace proxyd::routing
