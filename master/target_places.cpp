#include "master/target_places.h"

#include <algorithm>

namespace proxyd::master {

std::vector<config::TargetPlace> target_places(const Resolver::Addresses& addresses) {
  std::map<uint16_t, std::pair<uint64_t, uint64_t>> totals;   // by priority: how many, and their weights
  for (const dns::Address& one : addresses) {
    ++totals[one.priority].first;
    totals[one.priority].second += one.weight;
  }
  std::vector<config::TargetPlace> places;
  for (const dns::Address& one : addresses) {
    const auto [count, weights] = totals.at(one.priority);
    const uint64_t share = weights == 0 ? 100 : (100 * one.weight * count + weights / 2) / weights;
    places.push_back(
        {one.address, 0, static_cast<uint32_t>(std::max<uint64_t>(1, share)), one.priority != totals.begin()->first});
  }
  return places;
}

}   // namespace proxyd::master
