#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace proxyd::cache {

// The fingerprints of what left of late, the newest so many: a queue without links, where a word is {when it left,
// which it was} and has a few places where it may stand. A view of words in shared memory, used under the shard's
// mutex. Any words and any clock are valid: garbage is at worst a ghost that never lived. Nothing fails.
class Ghosts {
 public:
  // Words to remember as many as there may be objects: a multiple of a cache line of eight.
  static size_t words(uint32_t objects);

  Ghosts(uint32_t& clock, std::span<uint64_t> words) : clock_(clock), words_(words) {}

  void add(uint32_t fingerprint);
  bool take(uint32_t fingerprint, uint32_t newest);   // whether it is among the newest so many; then no longer
  bool contains(uint32_t fingerprint, uint32_t newest) const;
  void clear();

 private:
  std::span<uint64_t> line(uint32_t fingerprint) const;
  uint32_t& clock_;   // counts those that came
  std::span<uint64_t> words_;
};

}   // namespace proxyd::cache
