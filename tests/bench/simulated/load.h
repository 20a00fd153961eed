#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace proxyd::bench {

struct Request {
  uint64_t size;   // of the key's object
  uint32_t key;    // 0, 1, 2 …
};

// Requests in their order, of one kind. A key keeps its size.
struct Load {
  std::string name;
  std::vector<Request> requests;
  uint32_t keys = 0;   // one more than the highest

  uint64_t footprint() const;   // octets of all objects that are asked for
};

// Ranks by Zipf's law, 0 the most popular, by the alias method: the same for the same seed.
class Zipf {
 public:
  Zipf(uint32_t ranks, double exponent, uint64_t seed);
  uint32_t next();

 private:
  std::mt19937_64 random_;
  std::vector<double> threshold_;
  std::vector<uint32_t> alias_;
};

inline constexpr double kUsualExponent = 0.9;

// Objects of one size, 1. Popularity stays, or its ranks rotate by 2 % of the keys every 5 % of the run: either way
// round.
Load static_load(uint32_t keys, double exponent, size_t requests);
enum class Rotation { next_ranks_rise, last_ranks_rise };
Load shifting_load(uint32_t keys, Rotation rotation, size_t requests);
// So much of the requests is for keys that never come again.
Load one_hit_load(uint32_t keys, double share, size_t requests);
// A fifth of the requests is scans: as many more keys, each once, in their order. The same each time, or new ones.
enum class Scan { same_keys, new_keys };
Load scanning_load(uint32_t keys, Scan scan, size_t requests);
// Half of the requests go round through 30 % as many keys.
Load looping_load(uint32_t keys, size_t requests);
// Sizes by a logarithmic normal distribution around 13 KB, from 100 octets to 5 MB, independent of popularity.
enum class Popularity { stays, shifts };
Load sized_load(uint32_t keys, double spread, Popularity popularity, size_t requests);

// Lines of a key without blanks and a size. Throws what is wrong with the file as std::runtime_error.
Load trace_load(const std::string& path);

}   // namespace proxyd::bench
