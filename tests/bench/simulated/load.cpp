#include "load.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

namespace proxyd::bench {
namespace {

double fraction(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

// `one(at)` is the key of each request; objects of size 1.
template <typename One>
Load load_of(std::string name, uint32_t keys, size_t requests, One one) {
  Load load{std::move(name), {}, keys};
  load.requests.reserve(requests);
  for (size_t at = 0; at < requests; ++at) load.requests.push_back({1, one(at)});
  return load;
}

std::string hundredths(double value) {
  const long whole = std::lround(value * 100);
  return std::to_string(whole / 100) + "." + std::to_string(whole / 10 % 10) + std::to_string(whole % 10);
}

}   // namespace

uint64_t Load::footprint() const {
  std::vector<bool> seen(keys);
  uint64_t sum = 0;
  for (const Request& request : requests) {
    if (!seen[request.key]) sum += request.size;
    seen[request.key] = true;
  }
  return sum;
}

Zipf::Zipf(uint32_t ranks, double exponent, uint64_t seed) : random_(seed), threshold_(ranks, 1), alias_(ranks) {
  std::vector<double> weight(ranks);
  double sum = 0;
  for (uint32_t rank = 0; rank < ranks; ++rank) sum += weight[rank] = std::pow(rank + 1.0, -exponent);
  std::vector<uint32_t> light;
  std::vector<uint32_t> heavy;
  for (uint32_t rank = 0; rank < ranks; ++rank) {
    weight[rank] *= ranks / sum;
    (weight[rank] < 1 ? light : heavy).push_back(rank);
  }
  while (!light.empty() && !heavy.empty()) {
    const uint32_t low = light.back();
    const uint32_t high = heavy.back();
    light.pop_back();
    threshold_[low] = weight[low];
    alias_[low] = high;
    weight[high] -= 1 - weight[low];
    if (weight[high] >= 1) continue;
    heavy.pop_back();
    light.push_back(high);
  }
}

uint32_t Zipf::next() {
  const auto rank = static_cast<uint32_t>((random_() >> 32) * threshold_.size() >> 32);
  return fraction(random_) < threshold_[rank] ? rank : alias_[rank];
}

Load static_load(uint32_t keys, double exponent, size_t requests) {
  Zipf zipf(keys, exponent, 1);
  return load_of("static, s = " + hundredths(exponent), keys, requests, [&](size_t) { return zipf.next(); });
}

Load shifting_load(uint32_t keys, Rotation rotation, size_t requests) {
  Zipf zipf(keys, kUsualExponent, 2);
  const bool next = rotation == Rotation::next_ranks_rise;
  return load_of(next ? "shifting, next ranks rise" : "shifting, last ranks rise", keys, requests, [&](size_t at) {
    const auto turned = static_cast<uint32_t>(at / std::max<size_t>(1, requests / 20)) * (keys / 50) % keys;
    return (zipf.next() + (next ? turned : keys - turned)) % keys;
  });
}

Load one_hit_load(uint32_t keys, double share, size_t requests) {
  Zipf zipf(keys, kUsualExponent, 3);
  std::mt19937_64 random(4);
  uint32_t unseen = keys;
  Load load = load_of("one-hit wonders, " + std::to_string(std::lround(share * 100)) + " %", keys, requests,
                      [&](size_t) { return fraction(random) < share ? unseen++ : zipf.next(); });
  load.keys = unseen;
  return load;
}

Load scanning_load(uint32_t keys, Scan scan, size_t requests) {
  Zipf zipf(keys, kUsualExponent, 5);
  const bool same = scan == Scan::same_keys;
  const size_t round = 5UL * keys;
  uint32_t scanned = 0;
  Load load = load_of(same ? "scanning, same keys" : "scanning, new keys", keys, requests, [&](size_t at) {
    if (at % round < 4UL * keys) return zipf.next();
    return keys + (same ? scanned++ % keys : scanned++);
  });
  load.keys = keys + (same ? keys : scanned);
  return load;
}

Load looping_load(uint32_t keys, size_t requests) {
  Zipf zipf(keys, kUsualExponent, 6);
  const uint32_t ring = keys * 3 / 10;
  return load_of("scanning, round a ring", keys + ring, requests,
                 [&](size_t at) { return at % 2 == 0 ? zipf.next() : keys + static_cast<uint32_t>(at / 2 % ring); });
}

Load sized_load(uint32_t keys, double spread, Popularity popularity, size_t requests) {
  const bool shifts = popularity == Popularity::shifts;
  Load load =
      shifts ? shifting_load(keys, Rotation::next_ranks_rise, requests) : static_load(keys, kUsualExponent, requests);
  std::mt19937_64 random(7);
  std::vector<uint64_t> sizes;
  for (uint32_t key = 0; key < keys; ++key) {
    // Box and Muller's, for the library's own differs from one to the next.
    const double normal =
        std::sqrt(-2 * std::log(1 - fraction(random))) * std::cos(6.283185307179586 * fraction(random));
    sizes.push_back(static_cast<uint64_t>(std::clamp(std::exp(9.5 + spread * normal), 100.0, 5e6)));
  }
  for (Request& request : load.requests) request.size = sizes[request.key];
  load.name = "sizes, spread " + hundredths(spread) + (shifts ? ", shifting" : ", static");
  return load;
}

Load trace_load(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " cannot be opened: name a file with lines of a key and a size");
  Load load{path, {}, 0};
  std::unordered_map<std::string, Request> known;
  std::string line;
  for (size_t number = 1; std::getline(file, line); ++number) {
    std::istringstream words(line);
    std::string key;
    uint64_t size = 0;
    if (!(words >> key >> size) || size == 0)
      throw std::runtime_error(path + ":" + std::to_string(number) + ": a key and a size in octets, not '" + line +
                               "'");
    load.requests.push_back(known.try_emplace(key, Request{size, static_cast<uint32_t>(known.size())}).first->second);
  }
  if (load.requests.empty()) throw std::runtime_error(path + " has no line: a key and a size in octets on each");
  load.keys = static_cast<uint32_t>(known.size());
  return load;
}

}   // namespace proxyd::bench
