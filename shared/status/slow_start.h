#pragma once

#include <algorithm>
#include <cstdint>

namespace proxyd::status {

inline constexpr uint64_t kSlowStartSteps = 20;

// A member's weight in slow start, which began at `since_ms` (0: it has none) and takes `slow_start_ms`: it grows
// evenly, from a twentieth to all of it.
constexpr uint32_t ramped_weight(uint32_t weight, uint64_t since_ms, uint64_t slow_start_ms, uint64_t now_ms) {
  if (weight == 0 || since_ms == 0 || slow_start_ms == 0 || now_ms >= since_ms + slow_start_ms) return weight;
  const uint64_t passed = now_ms > since_ms ? now_ms - since_ms : 0;
  const uint64_t step = std::min(1 + passed * kSlowStartSteps / slow_start_ms, kSlowStartSteps);
  return static_cast<uint32_t>(std::max<uint64_t>(1, weight * step / kSlowStartSteps));
}

}   // namespace proxyd::status
