#include "worker/routing/split.h"

#include <xxhash.h>

#include <cmath>

namespace proxyd::routing {

Split::Split(const config::Split& rules) {
  const std::string& by = rules.by;
  if (by.starts_with("header:")) by_ = By::kHeader;
  if (by.starts_with("cookie:")) by_ = By::kCookie;
  if (by.starts_with("query:")) by_ = By::kQuery;
  if (by_ != By::kClient) name_ = by.substr(by.find(':') + 1);
  for (const auto& [name, share] : rules.upstreams) {
    names_.push_back(name);
    shares_.push_back(share);
    seeds_.push_back(XXH3_64bits(name.data(), name.size()));
  }
}

// A request without the named value is drawn by its client.
uint64_t Split::hash_of(const RequestFacts& facts) const {
  std::string_view value;
  if (by_ == By::kHeader) {
    const http::Field* field = facts.head->fields.find(name_);
    if (field) value = field->value;
  }
  if (by_ == By::kCookie) value = find_cookie(facts.head->fields, name_);
  if (by_ == By::kQuery) value = find_query_parameter(facts.head->target.query, name_);
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
