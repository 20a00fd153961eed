#include "worker/upstream/upstream_group.h"

#include <algorithm>
#include <numeric>

namespace proxyd::upstream {
namespace {

constexpr uint64_t kLongestTurn = 4096;

std::vector<uint64_t> reduced(const std::vector<uint32_t>& weights) {
  uint64_t divisor = 0;
  for (const uint32_t weight : weights) divisor = std::gcd(divisor, uint64_t{weight});
  std::vector<uint64_t> shares;
  for (const uint32_t weight : weights) shares.push_back(divisor == 0 ? 0 : weight / divisor);
  const uint64_t sum = std::accumulate(shares.begin(), shares.end(), uint64_t{0});
  if (sum <= kLongestTurn) return shares;
  for (uint64_t& share : shares) share = std::max<uint64_t>(1, share * kLongestTurn / sum);
  return shares;
}

}   // namespace

std::vector<uint16_t> smooth_weighted_turn(const std::vector<uint32_t>& weights) {
  const std::vector<uint64_t> shares = reduced(weights);
  const auto sum = static_cast<int64_t>(std::accumulate(shares.begin(), shares.end(), uint64_t{0}));
  std::vector<int64_t> wealth(shares.size(), 0);
  std::vector<uint16_t> turn;
  for (int64_t round = 0; round < sum; ++round) {
    for (size_t i = 0; i < shares.size(); ++i) wealth[i] += static_cast<int64_t>(shares[i]);
    const auto richest = std::max_element(wealth.begin(), wealth.end());
    *richest -= sum;
    turn.push_back(static_cast<uint16_t>(richest - wealth.begin()));
  }
  return turn;
}

}   // namespace proxyd::upstream
