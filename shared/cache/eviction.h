#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "shared/cache/eviction_queue.h"
#include "shared/cache/frequency.h"
#include "shared/cache/ghosts.h"

namespace proxyd::cache {

// One shard's, in its shared memory beside the mutex. `frequency` is written by readers; the rest under the mutex.
struct EvictionState {
  uint64_t capacity;   // octets
  QueueState small;
  QueueState main;
  uint32_t ghost_clock;
  uint32_t unused;
  alignas(64) FrequencyState frequency;
  alignas(64) QueueJournal journal;
};
static_assert(sizeof(EvictionState) == 256);

// Where one shard's eviction lives. The caller lays it out; offsets inside are row numbers, so each process maps it
// where it likes.
struct EvictionMemory {
  EvictionState* state;
  EntryRows entries;                              // one an object row
  std::span<uint64_t> ghosts;                     // Ghosts::words(rows)
  std::span<std::atomic<uint64_t>> frequencies;   // Frequency::words(rows), at a multiple of 64 octets
};

enum class Verdict : uint8_t {
  enters,
  exceeds_capacity,   // weighs more than the shard may hold
  first_request,      // large, and not asked for before
  less_popular,       // than what would have to leave
};

struct Admission {
  Verdict verdict;
  Place place;   // where it enters
};

// TinyUFO: who may enter one shard of the cache, and who leaves. A small queue for the new, a main queue
// for what was used in it, ghosts of what left, and a sketch of how often keys are asked for. Objects differ in size: a
// newcomer must be asked for more than all that would have to leave for it, together, as far as counters reach.
//
// A view of memory that the caller owns, made by each process at will. Under the shard's mutex but for `note_request`
// and `hit`, which any reader calls at any time. No I/O, no clock, no allocation; nothing suspends or fails. Weights
// are in octets; each call looks at a bounded number of entries. A process may be killed at any instruction: `rebuild`
// makes a valid state of every prefix of every change. Storing one:
//
//   note_request(hash)                            at each request, hit or not
//   admit(hash, weight)                           when its response is known to be storable
//   while (!fits(weight)) evict(victim())         the caller unlinks each victim itself, before `evict`
//   insert(index, hash, weight, place)
class Eviction {
 public:
  explicit Eviction(const EvictionMemory& memory);

  void reset(uint64_t capacity);   // of new memory: nothing is in it
  // Takes effect at once: when less fits, the caller evicts while not `fits(0)`. What weighs more than a tenth of it
  // (the small queue's share) is large: it enters on its second request only, and the main queue.
  void set_capacity(uint64_t capacity);

  void note_request(uint64_t hash) { frequency_.note(fingerprint_of(hash)); }
  void hit(uint32_t index) { entries_[index].use(); }

  // Whether an object may enter. `row_free` false: no row is free, so something must leave even if the weight fits.
  Admission admit(uint64_t hash, uint64_t weight, bool row_free = true);
  bool fits(uint64_t added) const { return room(weight(), added); }
  // The next to leave; still in. None when nothing is in. The caller may ask again and again, each time after `evict`
  // or `remove` (an expired one is better gone) of what it was told.
  std::optional<uint32_t> victim();
  void evict(uint32_t index);   // it leaves, and its ghost is remembered

  void insert(uint32_t index, uint64_t hash, uint64_t weight, Place place);
  void remove(uint32_t index);   // purged, expired, replaced: no ghost. Nothing when it is in no queue
  void weight_changed(uint32_t index, uint64_t weight);   // another head

  // After a death under the mutex: ends the change that was being made. False: what is noted makes no sense.
  bool recover();
  // When in doubt. Looks at all entries several times. Those whose `place` is neither queue's are in none.
  void rebuild();

  uint64_t weight() const { return small_.weight() + main_.weight(); }
  uint32_t objects() const { return small_.count() + main_.count(); }
  uint64_t capacity() const { return state_.capacity; }

 private:
  // Where a look at the next victims has come to: the oldest of each queue not yet looked at.
  struct Walk {
    uint32_t small;
    uint32_t main;
    uint64_t small_weight;
    uint32_t moves;   // second chances given
  };
  Walk begin() const;
  std::optional<uint32_t> next_victim(Walk& walk);
  bool room(uint64_t used, uint64_t added) const;
  bool wins(uint32_t frequency, uint64_t added);
  void move(uint32_t index, Place to);
  EvictionQueue& queue(Place place);
  Place place_of(uint32_t index) const;
  uint64_t small_share() const;
  uint32_t remembered() const;

  EvictionState& state_;
  EntryRows entries_;
  EvictionQueue small_;
  EvictionQueue main_;
  Ghosts ghosts_;
  Frequency frequency_;
};

}   // namespace proxyd::cache
