#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::config {

// A network: "10.0.0.0/8", "2001:db8::/32", or one address. IPv4 is held mapped into IPv6, so that one comparison
// serves both. A value.
class Cidr {
 public:
  // Nothing when it is no network, or has bits set behind the prefix.
  static std::optional<Cidr> parse(std::string_view text);
  bool holds(const std::array<uint8_t, 16>& mapped) const;
  const std::array<uint8_t, 16>& first() const { return octets_; }
  std::array<uint8_t, 16> last() const;
  int prefix() const { return prefix_; }   // of 128

 private:
  std::array<uint8_t, 16> octets_{};
  int prefix_ = 0;   // of 128
};

// Sixteen octets of "192.0.2.1" (mapped) or "2001:db8::1".
std::optional<std::array<uint8_t, 16>> parse_mapped_address(std::string_view text);

class CidrList {
 public:
  CidrList() = default;
  explicit CidrList(const std::vector<std::string>& texts);
  bool holds(const std::array<uint8_t, 16>& mapped) const;
  bool empty() const { return networks_.empty(); }

 private:
  std::vector<Cidr> networks_;
};

}   // namespace proxyd::config
