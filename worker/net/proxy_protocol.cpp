#include "worker/net/proxy_protocol.h"

#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace proxyd::net {
namespace {

using State = ProxyHeader::State;

constexpr std::string_view kV1Prefix = "PROXY ";
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kV1Most = 107;
constexpr size_t kV2Most = 2048;
constexpr size_t kV2Fixed = 16;

bool accepts(ProxyHeaderKind accepted, ProxyHeaderKind kind) {
  return (static_cast<uint8_t>(accepted) & static_cast<uint8_t>(kind)) != 0;
}

bool may_begin_with(std::string_view received, std::string_view prefix) {
  const size_t size = std::min(received.size(), prefix.size());
  return received.substr(0, size) == prefix.substr(0, size);
}

std::string_view next_word(std::string_view& line) {
  const size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool canonical = !text.empty() && (text.front() != '0' || text.size() == 1);
  if (error != std::errc() || end != text.data() + text.size() || !canonical) return std::nullopt;
  return port;
}

// "PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n"
ProxyHeader parse_v1(std::string_view received) {
  const size_t end = received.substr(0, kV1Most).find("\r\n");
  if (end == std::string_view::npos) return {received.size() >= kV1Most ? State::kBad : State::kNeedMore};
  std::string_view line = received.substr(kV1Prefix.size(), end - kV1Prefix.size());
  ProxyHeader header{State::kPresent, end + 2};
  const std::string_view protocol = next_word(line);
  if (protocol == "UNKNOWN") return header;
  if (protocol != "TCP4" && protocol != "TCP6") return {State::kBad};
  const std::string_view source = next_word(line);
  const std::string_view destination = next_word(line);
  const auto source_port = parse_port(next_word(line));
  const auto destination_port = parse_port(line);
  if (!source_port || !destination_port) return {State::kBad};
  header.source = Address::parse(source, *source_port);
  header.destination = Address::parse(destination, *destination_port);
  const bool ipv6 = protocol == "TCP6";   // by how it is written: "::ffff:192.0.2.1" becomes IPv4
  const auto fits = [ipv6](std::string_view text) { return (text.find(':') != std::string_view::npos) == ipv6; };
  if (!header.source || !header.destination || !fits(source) || !fits(destination)) return {State::kBad};
  return header;
}

Address ipv4_at(const char* octets, const char* port) {
  sockaddr_in concrete{};
  concrete.sin_family = AF_INET;
  std::memcpy(&concrete.sin_addr, octets, 4);
  std::memcpy(&concrete.sin_port, port, 2);
  sockaddr_storage storage{};
  std::memcpy(&storage, &concrete, sizeof concrete);
  return Address::from(storage);
}

Address ipv6_at(const char* octets, const char* port) {
  sockaddr_in6 concrete{};
  concrete.sin6_family = AF_INET6;
  std::memcpy(&concrete.sin6_addr, octets, 16);
  std::memcpy(&concrete.sin6_port, port, 2);
  sockaddr_storage storage{};
  std::memcpy(&storage, &concrete, sizeof concrete);
  return Address::from(storage);
}

ProxyHeader parse_v2(std::string_view received) {
  if (received.size() < kV2Fixed) return {State::kNeedMore};
  const auto octet = [received](size_t at) { return static_cast<uint8_t>(received[at]); };
  const size_t length = static_cast<size_t>(octet(14)) << 8 | octet(15);
  const uint8_t version = octet(12) >> 4;
  const uint8_t command = octet(12) & 15;
  if (version != 2 || command > 1 || kV2Fixed + length > kV2Most) return {State::kBad};
  if (received.size() < kV2Fixed + length) return {State::kNeedMore};
  ProxyHeader header{State::kPresent, kV2Fixed + length};
  const char* addresses = received.data() + kV2Fixed;
  const uint8_t family = octet(13) >> 4;
  if (command == 0 || family == 0 || family == 3) return header;   // LOCAL, unspecified, unix
  if (family == 1) {
    if (length < 12) return {State::kBad};
    header.source = ipv4_at(addresses, addresses + 8);
    header.destination = ipv4_at(addresses + 4, addresses + 10);
    return header;
  }
  if (family != 2 || length < 36) return {State::kBad};
  header.source = ipv6_at(addresses, addresses + 32);
  header.destination = ipv6_at(addresses + 16, addresses + 34);
  return header;
}

}   // namespace

ProxyHeader parse_proxy_header(std::string_view received, ProxyHeaderKind accepted) {
  const bool maybe_v1 = accepts(accepted, ProxyHeaderKind::kV1) && may_begin_with(received, kV1Prefix);
  const bool maybe_v2 = accepts(accepted, ProxyHeaderKind::kV2) && may_begin_with(received, kV2Signature);
  if (!maybe_v1 && !maybe_v2) return {State::kAbsent};
  if (maybe_v2) return received.size() < kV2Signature.size() ? ProxyHeader{State::kNeedMore} : parse_v2(received);
  return received.size() < kV1Prefix.size() ? ProxyHeader{State::kNeedMore} : parse_v1(received);
}

}   // namespace proxyd::net
