#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace proxyd::cache {

// 32 bits of a key's hash, whichever of its bits a shard has spent: what frequency, ghosts and entries know of a key.
// Two keys that share one are mistaken for each other, which costs a little hit ratio and nothing else.
uint32_t fingerprint_of(uint64_t hash);

// What the sketch counts beside its words.
struct FrequencyState {
  std::atomic<uint32_t> counted;        // counters raised since the last stripe was halved
  std::atomic<uint32_t> stripe;         // halved next
  std::atomic<uint32_t> stripe_after;   // a stripe is halved after so many
};
static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free);

// How often each key was asked for of late, estimated: 4-bit counters, four for a key, all in one cache line, about
// four of each row for an object. Aged by halves, a stripe at a time, so that no request pays for the whole. A view of
// words in shared memory, held by any process for as long as it likes; the words live with the region. `note` and
// `estimate` take no lock: two that note at once may count one of them, and a process killed in between leaves what
// another could have. Any words are a valid sketch. Nothing fails.
class Frequency {
 public:
  static constexpr uint32_t kMost = 15;   // where a counter stays

  // Words for so many objects: a multiple of a cache line of eight, which should begin at a multiple of 64 octets.
  static size_t words(uint32_t objects);

  Frequency(FrequencyState& state, std::span<std::atomic<uint64_t>> words) : state_(state), words_(words) {}

  void note(uint32_t fingerprint);
  uint32_t estimate(uint32_t fingerprint) const;   // at most kMost; seldom too high, and too low only by aging
  // The sketch follows the last `raised` counts or so: once over all stripes while so many counters are raised.
  void set_window(uint64_t raised);
  void clear();

 private:
  void age();
  size_t lines() const { return words_.size() / 8; }
  FrequencyState& state_;
  std::span<std::atomic<uint64_t>> words_;
};

}   // namespace proxyd::cache
