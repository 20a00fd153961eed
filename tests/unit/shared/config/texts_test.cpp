#include <gtest/gtest.h>

#include "shared/config/cidr.h"
#include "shared/config/endpoint.h"
#include "shared/config/template_text.h"
#include "shared/config/units.h"

namespace proxyd::config {
namespace {

using Kind = TemplatePart::Kind;

TEST(Units, AreReadAndWrittenInTheLargestThatSaysItExactly) {
  EXPECT_EQ(parse_duration("250ms"), 250);
  EXPECT_EQ(parse_duration("2w"), 14 * 86'400'000LL);
  EXPECT_EQ(format_duration(90'000), "90s");
  EXPECT_EQ(format_duration(120'000), "2m");
  EXPECT_EQ(format_duration(14 * 86'400'000LL), "14d");
  EXPECT_EQ(parse_size("64MiB"), 64u << 20);
  EXPECT_EQ(format_size(1536), "1536B");
  EXPECT_EQ(format_size(2048), "2KiB");
  EXPECT_EQ(format_size(0), "0B");
}

TEST(Units, OfAnotherSpellingAreNotUnderstood) {
  for (const char* text : {"", "5", "s", "-1s", "+1s", "1.5s", "1 s", "1S", "1sec", "1s ", "18446744073709551615d"})
    EXPECT_FALSE(parse_duration(text)) << text;
  for (const char* text : {"", "5", "1K", "1kB", "1MB", "1mib", "99999999999TiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Template, IsSplitIntoTextAndVariables) {
  const auto parts = parse_template("a{host}{{x}}{header.X-A}{3}{query.a b}");
  ASSERT_TRUE(parts) << parts.error().message;
  const std::vector<TemplatePart> expected = {{Kind::kLiteral, "a"},   {Kind::kHost, ""},
                                              {Kind::kLiteral, "{x}"}, {Kind::kHeader, "X-A"},
                                              {Kind::kCapture, "3"},   {Kind::kQueryParameter, "a b"}};
  EXPECT_EQ(*parts, expected);
}

TEST(Template, KnowsEveryVariableAndNoOther) {
  for (const char* name : {"scheme", "host", "port", "path", "query", "uri", "client_ip", "request_id", "upstream",
                           "target", "header.A", "cookie.a", "query.a", "tls.sni", "tls.client_subject", "1", "9"}) {
    EXPECT_TRUE(parse_template("{" + std::string(name) + "}")) << name;
  }
  for (const char* name :
       {"", "0", "10", "Host", "header.", "header.a b", "cookie.a=b", "query.", "tls", "env.HOME", "{host"}) {
    EXPECT_FALSE(parse_template("{" + std::string(name) + "}")) << name;
  }
}

TEST(Template, RefusesABraceWithoutItsPartner) {
  for (const char* text : {"{", "}", "a}b", "{host", "host}", "{{}"}) EXPECT_FALSE(parse_template(text)) << text;
  EXPECT_TRUE(parse_template("")->empty());
}

bool holds(const char* network, const char* address) {
  const auto cidr = Cidr::parse(network);
  const auto octets = parse_mapped_address(address);
  EXPECT_TRUE(cidr && octets) << network << " " << address;
  return cidr && octets && cidr->holds(*octets);
}

TEST(Network, HoldsWhatItsPrefixSays) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("192.0.2.128/25", "192.0.2.129"));
  EXPECT_FALSE(holds("192.0.2.128/25", "192.0.2.127"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "203.0.113.9"));
}

TEST(Network, TakesAnAddressMappedIntoIpv6ForTheAddressItself) {
  EXPECT_TRUE(holds("192.0.2.0/24", "::ffff:192.0.2.7"));
  EXPECT_TRUE(holds("::ffff:192.0.2.0/120", "192.0.2.7"));
}

TEST(Network, IsRefusedInAnyOtherForm) {
  for (const char* text : {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "10.0.0/8",
                           "010.0.0.0/8", "::/129", "[::]/0", "a.test", " 10.0.0.0/8"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
  EXPECT_FALSE(parse_mapped_address(std::string_view("10.0.0.1\0", 9)));
}

TEST(Endpoint, IsAHostAndPortOrAPath) {
  const auto name = Endpoint::parse("a.internal:8080");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->host, "a.internal");
  EXPECT_EQ(name->port, 8080);
  EXPECT_FALSE(name->host_is_address);
  const auto ipv6 = Endpoint::parse("[2001:db8::1]:443");
  ASSERT_TRUE(ipv6);
  EXPECT_EQ(ipv6->host, "2001:db8::1");
  EXPECT_TRUE(ipv6->host_is_address);
  const auto any = Endpoint::parse(":80");
  ASSERT_TRUE(any);
  EXPECT_TRUE(any->host.empty());
  const auto path = Endpoint::parse("unix:/run/a.sock");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->kind, Endpoint::Kind::kUnix);
  EXPECT_EQ(path->path, "/run/a.sock");
}

TEST(Endpoint, IsRefusedInAnyOtherForm) {
  for (const char* text : {"", "a", ":", "a:", "a:0", "a:65536", "a:-1", "a:1x", "::1:80", "[::1]", "[a]:80", "a b:80",
                           "a/b:80", "unix:", "unix:a", "unix:/a\nb", "unix:@a"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

}   // namespace
}   // namespace proxyd::config
