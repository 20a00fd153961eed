#include "worker/upstream/ketama.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <tuple>

namespace proxyd::upstream {
namespace {

// CRC-32 of ISO-HDLC, a table of the 256 octets.
constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t octet = 0; octet < 256; ++octet) {
    uint32_t value = octet;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xEDB88320u ^ value >> 1 : value >> 1;
    table[octet] = value;
  }
  return table;
}();

uint32_t crc_of(uint32_t crc, std::string_view octets) {
  for (const char octet : octets) crc = kCrcTable[(crc ^ static_cast<uint8_t>(octet)) & 0xFF] ^ crc >> 8;
  return crc;
}

// Of "host:port" both, of "unix:/path" the path alone.
struct Parts {
  std::string_view host;
  std::string_view port;
};
Parts parts_of(std::string_view name) {
  if (name.starts_with("unix:")) return {name.substr(5), {}};
  const size_t colon = name.rfind(':');
  const bool with_port =
      colon != std::string_view::npos && std::all_of(name.begin() + static_cast<std::ptrdiff_t>(colon) + 1, name.end(),
                                                     [](char c) { return c >= '0' && c <= '9'; });
  return with_port ? Parts{name.substr(0, colon), name.substr(colon + 1)} : Parts{name, {}};
}

}   // namespace

uint32_t KetamaRing::hash_of(std::string_view key) { return ~crc_of(0xFFFFFFFF, key); }

uint32_t KetamaRing::points_of(uint32_t weight) const {
  if (weight == 0) return 0;
  const uint64_t points = (uint64_t{weight} * 16 + 5) / 10;
  const uint64_t within = wanted_ <= kMostPoints ? points : points * kMostPoints / wanted_;
  return static_cast<uint32_t>(std::max<uint64_t>(1, within));
}

// Each point's hash is that of host, NUL, port and the hash before it.
KetamaRing::KetamaRing(std::vector<Owner> owners) : owners_(std::move(owners)) {
  uint64_t all = 0;
  for (const Owner& owner : owners_) all += points_of(owner.weight);
  wanted_ = all;
  for (size_t i = 0; i < owners_.size(); ++i) {
    const Parts parts = parts_of(owners_[i].name);
    uint32_t base = crc_of(0xFFFFFFFF, parts.host);
    base = crc_of(base, std::string_view("\0", 1));
    base = crc_of(base, parts.port);
    uint32_t former = 0;
    for (uint32_t number = 0; number < points_of(owners_[i].weight); ++number) {
      const char octets[4] = {static_cast<char>(former), static_cast<char>(former >> 8),
                              static_cast<char>(former >> 16), static_cast<char>(former >> 24)};
      former = ~crc_of(base, {octets, sizeof octets});
      points_.push_back({former, static_cast<uint16_t>(i), static_cast<uint16_t>(number)});
    }
  }
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) {
    return std::tie(a.hash, a.owner, a.number) < std::tie(b.hash, b.owner, b.number);
  });
  const auto same = [](const Point& a, const Point& b) { return a.hash == b.hash; };
  points_.erase(std::unique(points_.begin(), points_.end(), same), points_.end());
}

size_t KetamaRing::find(uint32_t hash) const {
  const auto at = std::lower_bound(points_.begin(), points_.end(), hash,
                                   [](const Point& point, uint32_t wanted) { return point.hash < wanted; });
  return at == points_.end() ? 0 : static_cast<size_t>(at - points_.begin());
}

}   // namespace proxyd::upstream
