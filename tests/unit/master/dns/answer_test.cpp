#include "master/dns/answer.h"

#include <gtest/gtest.h>

namespace proxyd::dns {
namespace {

using namespace std::string_literals;

std::span<const uint8_t> octets(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A header for one question, "a.test", and so many answers; the name is at octet 12.
std::string begun(char answers, char type) {
  return "\x12\x34\x81\x80\0\1\0"s + answers + "\0\0\0\0"s + "\1a\4test\0\0"s + type + "\0\1"s;
}
std::string record(char type, char ttl, const std::string& data) {
  return "\xC0\x0C\0"s + type + "\0\1\0\0\0"s + ttl + '\0' + static_cast<char>(data.size()) + data;
}

TEST(DnsAnswer, AddressesComeWithTheLeastTtlOnTheWay) {
  const std::string message =
      begun(3, 1) + record(5, 5, "\1b\xC0\x0E"s) + record(1, 60, "\xC0\0\2\1"s) + record(1, 9, "\xC0\0\2\2"s);
  const auto answer = read_answer(octets(message), RecordType::kA);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->addresses, (std::vector<std::string>{"192.0.2.1", "192.0.2.2"}));
  EXPECT_EQ(answer->ttl, std::chrono::seconds(5));
}

TEST(DnsAnswer, IPv6AddressesAreText) {
  const std::string message = begun(1, 28) + record(28, 60, "\x20\1\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\1"s);
  EXPECT_EQ(read_answer(octets(message), RecordType::kAaaa)->addresses, std::vector<std::string>{"2001:db8::1"});
  EXPECT_TRUE(read_answer(octets(message), RecordType::kA)->addresses.empty());
}

TEST(DnsAnswer, ServicesHaveAPlaceAndAHost) {
  const std::string message =
      begun(2, 33) + record(33, 7, "\0\1\0\x32\x1F\x90\3one\xC0\x0E"s) + record(33, 9, "\0\2\0\0\0\x50\0"s);
  const auto answer = read_answer(octets(message), RecordType::kSrv);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->services.size(), 2u);
  EXPECT_EQ(answer->services[0].host, "one.test");
  EXPECT_EQ(answer->services[0].port, 8080);
  EXPECT_EQ(answer->services[0].weight, 50);
  EXPECT_EQ(answer->services[0].priority, 1);
  EXPECT_EQ(answer->services[1].host, "") << "the root: there is no such service";
  EXPECT_EQ(answer->ttl, std::chrono::seconds(7));
}

TEST(DnsAnswer, ANameThatIsNoHostsIsNone) {
  const std::string message = begun(1, 33) + record(33, 7, "\0\1\0\x32\x1F\x90\3o/e\xC0\x0E"s);
  EXPECT_EQ(read_answer(octets(message), RecordType::kSrv)->services.at(0).host, "");
}

TEST(DnsAnswer, WhatIsCutShortOrGoesInCirclesIsRefused) {
  const std::string whole = begun(1, 33) + record(33, 7, "\0\1\0\x32\x1F\x90\3one\xC0\x0E"s);
  for (size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(read_answer(octets(whole.substr(0, length)), RecordType::kSrv)) << length;
  const std::string circle = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\xC0\x0C\0\1\0\1"s;
  EXPECT_FALSE(read_answer(octets(circle), RecordType::kA));
  const std::string of_five = begun(1, 1) + record(1, 60, "\xC0\0\2\1\1"s);
  EXPECT_TRUE(read_answer(octets(of_five), RecordType::kA)->addresses.empty());
}

}   // namespace
}   // namespace proxyd::dns
