#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyd::net {

// The address of a peer: IPv4, IPv6 or a unix socket's (which says nothing about the peer). An IPv4 address that came
// over an IPv6 socket is IPv4. Sixteen octets and a port; a value.
class Address {
 public:
  enum class Family : uint8_t { kUnix, kIpv4, kIpv6 };

  Address() = default;
  static Address from(const sockaddr_storage& address);
  // "192.0.2.1", "2001:db8::1"
  static std::optional<Address> parse(std::string_view ip, uint16_t port);

  Family family() const { return family_; }
  uint16_t port() const { return port_; }
  // Network order; the first four for IPv4.
  const std::array<uint8_t, 16>& octets() const { return octets_; }
  // An IPv4 address as IPv6 maps it (RFC 4291 2.5.5.2), any other as it is.
  std::array<uint8_t, 16> mapped() const;

  // Without the port: "192.0.2.1", "2001:db8::1", "unix:".
  std::string_view format_ip(std::array<char, 48>& room) const;
  // "192.0.2.1:80", "[2001:db8::1]:80", "unix:".
  std::string text() const;

  bool operator==(const Address&) const = default;

 private:
  Family family_ = Family::kUnix;
  uint16_t port_ = 0;
  std::array<uint8_t, 16> octets_{};
};

// Where to connect to: what `resolve` made of "127.0.0.1:80", "[::1]:80" or "unix:/path".
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  static std::optional<SocketAddress> parse(std::string_view text);
  int family() const { return storage.ss_family; }
};

}   // namespace proxyd::net
