#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proxyd::upstream {

// A ring of points for consistent hashing, equal to that of nginx's `hash … consistent` (Cache::Memcached::Fast): a
// member of weight 100, one share, has the 160 points of its name that nginx gives to `weight=1`; w gives round(1.6 w),
// at least one. A ring of more than a million points has fewer of each, in proportion. Immutable; made once for the
// same members, however often configurations change. One hash value is one member's, the first that has it.
class KetamaRing {
 public:
  struct Owner {
    std::string name;   // "host:port" or "unix:/path", as nginx's `server` has it
    uint32_t weight = 100;
    bool operator==(const Owner&) const = default;
  };
  explicit KetamaRing(std::vector<Owner> owners);

  struct Point {
    uint32_t hash = 0;
    uint16_t owner = 0;    // its place among the owners
    uint16_t number = 0;   // of the points of its owner
  };
  // What nginx hashes a key to.
  static uint32_t hash_of(std::string_view key);
  // How many points a weight has in this ring.
  uint32_t points_of(uint32_t weight) const;
  // The place of the first point at or after `hash`, around the ring. There is one at least.
  size_t find(uint32_t hash) const;
  const std::vector<Point>& points() const { return points_; }
  const std::vector<Owner>& owners() const { return owners_; }

 private:
  static constexpr uint64_t kMostPoints = 1'000'000;
  std::vector<Owner> owners_;
  uint64_t wanted_ = 0;         // points, were there no bound
  std::vector<Point> points_;   // by hash
};

}   // namespace proxyd::upstream
