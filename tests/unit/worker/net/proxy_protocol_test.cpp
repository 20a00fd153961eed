#include "worker/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace proxyd::net {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string v2(uint8_t version_and_command, uint8_t family, std::string_view addresses, size_t length) {
  std::string header(kSignature);
  for (const size_t octet : {size_t{version_and_command}, size_t{family}, length >> 8, length & 255})
    header += static_cast<char>(octet);
  return header + std::string(addresses);
}

State state_of(std::string_view text, ProxyHeaderKind kind = ProxyHeaderKind::kAny) {
  return parse_proxy_header(text, kind).state;
}

TEST(ProxyHeader, OfVersionOneNamesBothEnds) {
  const ProxyHeader header =
      parse_proxy_header("PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\nGET /", ProxyHeaderKind::kV1);
  ASSERT_EQ(header.state, State::kPresent);
  EXPECT_EQ(header.octets, 40u);
  EXPECT_EQ(header.source->text(), "192.0.2.1:4711");
  EXPECT_EQ(header.destination->text(), "192.0.2.2:80");
}

TEST(ProxyHeader, OfVersionOneIsReadStrictly) {
  for (const char* bad :
       {"PROXY TCP4 192.0.2.1 192.0.2.2 4711\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 4711 80 \r\n",
        "PROXY TCP4 192.0.2.1  192.0.2.2 4711 80\r\n", "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n",
        "PROXY TCP4 192.0.2.1 192.0.2.2 04711 80\r\n", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY \r\n"}) {
    EXPECT_EQ(state_of(bad), State::kBad) << bad;
  }
  EXPECT_EQ(state_of("PROXY UNKNOWN ffff:: whatever\r\n"), State::kPresent);
  EXPECT_EQ(state_of("PROXY TCP4 192"), State::kNeedMore);
  EXPECT_EQ(state_of("PROXY " + std::string(200, 'x')), State::kBad);   // no line end within 107 octets
}

TEST(ProxyHeader, OfVersionTwoNamesBothEndsOrNobody) {
  const std::string ipv4("\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x00\x50", 12);
  const ProxyHeader header = parse_proxy_header(v2(0x21, 0x11, ipv4 + "TLVs", 16) + "GET", ProxyHeaderKind::kV2);
  ASSERT_EQ(header.state, State::kPresent);
  EXPECT_EQ(header.octets, 32u);
  EXPECT_EQ(header.source->text(), "192.0.2.1:4711");
  EXPECT_FALSE(parse_proxy_header(v2(0x20, 0, "", 0), ProxyHeaderKind::kV2).source);   // LOCAL
  EXPECT_EQ(state_of(v2(0x21, 0x11, ipv4, 11).substr(0, 27)), State::kBad);            // too short for its family
  EXPECT_EQ(state_of(v2(0x21, 0x21, ipv4, 12)), State::kBad);
  EXPECT_EQ(state_of(v2(0x31, 0x11, ipv4, 12)), State::kBad);      // version 3
  EXPECT_EQ(state_of(v2(0x22, 0x11, ipv4, 12)), State::kBad);      // no such command
  EXPECT_EQ(state_of(v2(0x21, 0x11, ipv4, 65535)), State::kBad);   // 64 KiB
  EXPECT_EQ(state_of(v2(0x21, 0x11, ipv4, 12).substr(0, 20)), State::kNeedMore);
}

TEST(ProxyHeader, IsAbsentWhenTheVersionIsNotAccepted) {
  EXPECT_EQ(state_of("PROXY UNKNOWN\r\n", ProxyHeaderKind::kV2), State::kAbsent);
  EXPECT_EQ(state_of(v2(0x20, 0, "", 0), ProxyHeaderKind::kV1), State::kAbsent);
  EXPECT_EQ(state_of("GET / HTTP/1.1\r\n"), State::kAbsent);
  EXPECT_EQ(state_of("P"), State::kNeedMore);
}

}   // namespace
}   // namespace proxyd::net
