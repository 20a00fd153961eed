#include "worker/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace proxyd::net {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

template <class Concrete>
SocketAddress pack(const Concrete& concrete, size_t length) {
  SocketAddress address;
  std::memcpy(&address.storage, &concrete, sizeof concrete);
  address.length = static_cast<socklen_t>(length);
  return address;
}

}   // namespace

Address Address::from(const sockaddr_storage& storage) {
  Address address;
  if (storage.ss_family == AF_INET) {
    sockaddr_in ipv4;
    std::memcpy(&ipv4, &storage, sizeof ipv4);
    address.family_ = Family::kIpv4;
    address.port_ = ntohs(ipv4.sin_port);
    std::memcpy(address.octets_.data(), &ipv4.sin_addr, 4);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 ipv6;
    std::memcpy(&ipv6, &storage, sizeof ipv6);
    address.port_ = ntohs(ipv6.sin6_port);
    std::memcpy(address.octets_.data(), &ipv6.sin6_addr, 16);
    const bool mapped = std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.octets_.begin());
    address.family_ = mapped ? Family::kIpv4 : Family::kIpv6;
    if (mapped) std::rotate(address.octets_.begin(), address.octets_.begin() + 12, address.octets_.end());
    if (mapped) std::fill(address.octets_.begin() + 4, address.octets_.end(), uint8_t{0});
  }
  return address;
}

std::array<uint8_t, 16> Address::mapped() const {
  if (family_ != Family::kIpv4) return octets_;
  std::array<uint8_t, 16> octets{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  std::copy_n(octets_.begin(), 4, octets.begin() + 12);
  return octets;
}

std::optional<Address> Address::parse(std::string_view ip, uint16_t port) {
  char text[INET6_ADDRSTRLEN];
  if (ip.size() >= sizeof text) return std::nullopt;
  text[ip.copy(text, sizeof text - 1)] = '\0';
  sockaddr_storage storage{};
  sockaddr_in ipv4{};
  sockaddr_in6 ipv6{};
  if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    std::memcpy(&storage, &ipv4, sizeof ipv4);
  } else if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    std::memcpy(&storage, &ipv6, sizeof ipv6);
  } else {
    return std::nullopt;
  }
  return from(storage);
}

std::string_view Address::format_ip(std::array<char, 48>& room) const {
  if (family_ == Family::kUnix) return "unix:";
  if (family_ == Family::kIpv6)
    return inet_ntop(AF_INET6, octets_.data(), room.data(), static_cast<socklen_t>(room.size()));
  char* at = room.data();   // inet_ntop costs more than the parsing of a head
  for (size_t i = 0; i < 4; ++i) {
    if (i > 0) *at++ = '.';
    at = std::to_chars(at, room.data() + room.size(), octets_[i]).ptr;
  }
  return {room.data(), static_cast<size_t>(at - room.data())};
}

std::string Address::text() const {
  std::array<char, 48> room;
  const std::string ip(format_ip(room));
  if (family_ == Family::kUnix) return ip;
  return (family_ == Family::kIpv6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port_);
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  if (text.starts_with("unix:")) {
    sockaddr_un local{};
    const std::string_view path = text.substr(5);
    if (path.empty() || path.size() >= sizeof local.sun_path) return std::nullopt;
    local.sun_family = AF_UNIX;
    path.copy(local.sun_path, path.size());
    return pack(local, offsetof(sockaddr_un, sun_path) + path.size() + 1);
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_port(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!port) return std::nullopt;
  char copy[INET6_ADDRSTRLEN];
  if (host.size() >= sizeof copy) return std::nullopt;
  copy[host.copy(copy, sizeof copy - 1)] = '\0';
  sockaddr_in ipv4{};
  sockaddr_in6 ipv6{};
  if (inet_pton(AF_INET, copy, &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(*port);
    return pack(ipv4, sizeof ipv4);
  }
  if (inet_pton(AF_INET6, copy, &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(*port);
    return pack(ipv6, sizeof ipv6);
  }
  return std::nullopt;
}

}   // namespace proxyd::net
