#include "worker/tls/client_hello.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::tls {
namespace {

using State = ServerNameExtension::State;

std::string counted(std::string_view text) {
  return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xff)} + std::string(text);
}

std::string entry(std::string_view name, char type = 0) { return std::string(1, type) + counted(name); }

ServerNameExtension read(const std::string& extension) {
  return read_server_name({reinterpret_cast<const uint8_t*>(extension.data()), extension.size()});
}

TEST(ServerName, IsReadInLowerCaseWithoutItsFinalDot) {
  const ServerNameExtension asked = read(counted(entry("WWW.Example.COM.")));
  EXPECT_EQ(asked.state, State::kName);
  EXPECT_EQ(asked.name.text(), "www.example.com");
}

TEST(ServerName, TwoNamesOfAHostAreTold_rfc6066_3) {
  EXPECT_EQ(read(counted(entry("a.test") + entry("b.test"))).state, State::kTwoNames);
}

TEST(ServerName, ANameOfAnotherKindIsPassedOver) {
  EXPECT_EQ(read(counted(entry("x", 7) + entry("a.test"))).name.text(), "a.test");
  EXPECT_EQ(read(counted(entry("x", 7))).state, State::kMalformed);
}

TEST(ServerName, WhatIsCutShortOrHasMoreIsMalformed) {
  const std::string whole = counted(entry("a.test"));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_EQ(read(whole.substr(0, size)).state, State::kMalformed);
  EXPECT_EQ(read(whole + "x").state, State::kMalformed);
  EXPECT_EQ(read(counted("")).state, State::kMalformed);
}

TEST(ServerName, WhatCanBeNoHostIsNone) {
  for (const std::string_view name : {"", ".", "a b", "a/b", "[::1]", "a..b", "a..", "\xc3\xa4.test", ".a.test"})
    EXPECT_EQ(read(counted(entry(name))).state, State::kBadName) << name;
  EXPECT_EQ(read(counted(entry(std::string(254, 'a')))).state, State::kBadName);
  EXPECT_EQ(read(counted(entry(std::string(253, 'a')))).state, State::kName);
  EXPECT_EQ(read(counted(entry(std::string("a\0b", 3)))).state, State::kBadName);
}

}   // namespace
}   // namespace proxyd::tls
