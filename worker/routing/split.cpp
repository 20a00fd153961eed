#include "worker/routing/split.h"

#include <xxhash.h>

#include <cmath>

namespace proxyd::routing {

Split::Split(const config::Split& rules) : by_(rules.by) {
  for (const auto& [name, share] : rules.upstreams) {
    names_.push_back(name);
    shares_.push_back(share);
    seeds_.push_back(XXH3_64bits(name.data(), name.size()));
  }
}

// A request without the named value is drawn by its client.
uint64_t Split::hash_of(const RequestFacts& facts) const {
  const std::string_view value = by_.value(facts);
  if (!value.data()) return XXH3_64bits(facts.client.data(), facts.client.size());
  return XXH3_64bits(value.data(), value.size());
}

double Split::score_of(uint64_t hash, size_t index) const {
  if (shares_[index] == 0) return 0;
  const uint64_t mixed = XXH3_64bits_withSeed(&hash, sizeof hash, seeds_[index]);
  const double unit = (static_cast<double>(mixed >> 11) + 0.5) / 9007199254740992.0;   // in (0, 1), 53 bits
  return static_cast<double>(shares_[index]) / -std::log(unit);
}

}   // namespace proxyd::routing
