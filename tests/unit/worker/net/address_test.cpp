#include "worker/net/address.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::net {
namespace {

TEST(Address, OverAnIpv6SocketMayBeIpv4) {
  EXPECT_EQ(Address::parse("::ffff:192.0.2.1", 80)->text(), "192.0.2.1:80");
  EXPECT_EQ(Address::parse("2001:db8::1", 80)->text(), "[2001:db8::1]:80");
  EXPECT_EQ(Address().text(), "unix:");
  EXPECT_FALSE(Address::parse("192.0.2.256", 80));
  EXPECT_FALSE(Address::parse(std::string(100, '1'), 80));
}

TEST(SocketAddress, IsAnAddressWithAPortOrAPath) {
  EXPECT_EQ(SocketAddress::parse("127.0.0.1:80")->family(), AF_INET);
  EXPECT_EQ(SocketAddress::parse("[::1]:80")->family(), AF_INET6);
  EXPECT_EQ(SocketAddress::parse("unix:/run/x")->family(), AF_UNIX);
  for (const char* bad : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "name:80", "unix:"})
    EXPECT_FALSE(SocketAddress::parse(bad)) << bad;
  EXPECT_FALSE(SocketAddress::parse("unix:/" + std::string(200, 'x')));
}

}   // namespace
}   // namespace proxyd::net
