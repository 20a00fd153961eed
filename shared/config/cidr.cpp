#include "shared/config/cidr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace proxyd::config {

std::optional<std::array<uint8_t, 16>> parse_mapped_address(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  // A NUL would end the copy early and hide what follows it.
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return std::nullopt;
  copy[text.copy(copy, sizeof copy - 1)] = '\0';
  std::array<uint8_t, 16> octets{};
  if (inet_pton(AF_INET6, copy, octets.data()) == 1) return octets;
  octets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (inet_pton(AF_INET, copy, octets.data() + 12) == 1) return octets;
  return std::nullopt;
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto octets = parse_mapped_address(text.substr(0, slash));
  if (!octets) return std::nullopt;
  const bool ipv4 = text.substr(0, slash).find(':') == std::string_view::npos;
  int length = ipv4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    int given = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), given);
    if (error != std::errc() || end != digits.data() + digits.size() || given < 0 || given > length)
      return std::nullopt;
    length = given;
  }
  Cidr cidr;
  cidr.octets_ = *octets;
  cidr.prefix_ = ipv4 ? length + 96 : length;
  for (int bit = cidr.prefix_; bit < 128; ++bit) {
    if ((cidr.octets_[static_cast<size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return cidr;
}

bool Cidr::holds(const std::array<uint8_t, 16>& mapped) const {
  const auto whole = static_cast<size_t>(prefix_ / 8);
  if (std::memcmp(octets_.data(), mapped.data(), whole) != 0) return false;
  const int rest = prefix_ % 8;
  return rest == 0 || (octets_[whole] ^ mapped[whole]) >> (8 - rest) == 0;
}

std::array<uint8_t, 16> Cidr::last() const {
  std::array<uint8_t, 16> octets = octets_;
  for (int bit = prefix_; bit < 128; ++bit)
    octets[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(1 << (7 - bit % 8));
  return octets;
}

CidrList::CidrList(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (const auto cidr = Cidr::parse(text)) networks_.push_back(*cidr);
  }
}

bool CidrList::holds(const std::array<uint8_t, 16>& mapped) const {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&mapped](const Cidr& network) { return network.holds(mapped); });
}

}   // namespace proxyd::config
