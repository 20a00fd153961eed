#include "worker/proxy/slow_checks.h"

#include <algorithm>
#include <cstring>

namespace proxyd::proxy {
namespace {

constexpr size_t kMostPlaces = 64;
constexpr std::ptrdiff_t kMostOfOne = 2;

// The first half of an address of IPv6, the second of one of IPv4, which is mapped.
uint64_t network_of(const SlowChecks::Client& client) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool is_mapped = std::equal(kMapped.begin(), kMapped.end(), client.begin());
  uint64_t network = 0;
  std::memcpy(&network, client.data() + (is_mapped ? 8 : 0), sizeof network);
  return network;
}

}   // namespace

std::optional<SlowChecks::Place> SlowChecks::place_for(const Client& client) {
  const uint64_t network = network_of(client);
  const bool full =
      waiting_.size() >= kMostPlaces || std::count(waiting_.begin(), waiting_.end(), network) >= kMostOfOne;
  if (full) return std::nullopt;
  waiting_.push_back(network);
  return Place(*this, network);
}

SlowChecks::Place::~Place() {
  if (!checks_) return;
  auto& waiting = checks_->waiting_;
  waiting.erase(std::find(waiting.begin(), waiting.end(), network_));
}

}   // namespace proxyd::proxy
