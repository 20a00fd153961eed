#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "shared/cache/eviction_queue.h"

namespace proxyd::cache {

// Where a block of the content pool begins: its granule of 256 octets (`kGranule`), plus one; 0 is none.
using BlockRef = uint32_t;
// A row of the object table; kNoObject is none.
using ObjectIndex = uint32_t;
inline constexpr ObjectIndex kNoObject = 0xffffffff;
inline constexpr uint64_t kUnknownLength = ~uint64_t{0};

struct KeyHash {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const KeyHash&) const = default;
};

// What a row holds.
//   free → opening (no field section yet) → filling → complete
//                  └→ pass (hit-for-miss)  └→ aborted          any of these, dead → freeing → free
enum class State : uint8_t { free, opening, filling, complete, pass, aborted, freeing };
// too_large: a pass, because the content was larger than what is stored.
enum class Kind : uint8_t { response, vary_head, too_large };

// State, kind and generation in one word, so that a reader sees them together. `dead`: not in the index any more; it is
// freed when nobody pins it, and whoever pins it may go on reading. The generation rises when an object dies.
struct Life {
  State state = State::free;
  Kind kind = Kind::response;
  bool dead = false;
  uint32_t generation = 0;

  static Life of(uint64_t word) {
    return Life{static_cast<State>((word >> 32) & 0xff), static_cast<Kind>((word >> 40) & 0xff),
                ((word >> 48) & 1) != 0, static_cast<uint32_t>(word)};
  }
  uint64_t word() const {
    return generation | uint64_t{static_cast<uint8_t>(state)} << 32 | uint64_t{static_cast<uint8_t>(kind)} << 40 |
           uint64_t{dead} << 48;
  }
  // The row is an object's, which may be dead.
  bool is_used() const { return state != State::free && state != State::freeing; }
  // Not an object of the index.
  bool is_gone() const { return dead || !is_used(); }
  // May be served, followed or taken as an answer that nothing may be stored.
  bool live() const { return !is_gone() && state != State::aborted; }
};

inline constexpr uint32_t kDirectExtents = 3;
inline constexpr size_t kRetiredHeads = 2;
inline constexpr uint32_t kInLimbo = 1;   // in the shard's limbo list
inline constexpr uint32_t kLarge = 2;     // counted as large for its shard

// One row of the object table: the truth about what is cached, from which index, queues and free maps can be rebuilt.
// In the region. The first line is written seldom, the second while it fills or is freshened. Unless said otherwise a
// word is written under the shard's lock; a filler writes what its content is, alone.
struct alignas(64) Object {
  KeyHash hash;                  // constant while not free
  std::atomic<uint64_t> life;    // Life; the filler moves the state by compare-and-swap
  std::atomic<BlockRef> head;    // head block: key, field section, stamps, small content
  std::atomic<BlockRef> chain;   // first extent block, for what the direct ones cannot hold
  std::array<std::atomic<BlockRef>, kDirectExtents> direct;   // content after what lies in the head block
  std::atomic<uint32_t> marks;                                // kInLimbo, kLarge
  std::atomic<int64_t> keep_until;                            // ms; after it the sweep may take it, or a pass ends
  std::atomic<uint64_t> length;                               // of the content, or kUnknownLength

  alignas(64) std::atomic<uint64_t> filled;   // octets of content that may be read
  std::atomic<uint64_t> filler;               // Holder that fetches for it, validates or frees it
  std::atomic<uint64_t> waiters;              // bit: worker slot mod 64
  EvictionEntry eviction;
  std::array<std::atomic<BlockRef>, kRetiredHeads> retired;   // heads before the last freshenings, still pinned
  std::atomic<ObjectIndex> next;                              // in the shard's list of free rows, or in its limbo
  std::atomic<BlockRef> rest;                                 // of the chain, while it is being freed
};
static_assert(sizeof(Object) == 128);

// How the last claim to validate a stored object ended. Of use to those who waited for it.
//   open: with something new, or it was abandoned: somebody else may try. failed: the origin gave no answer, or an
//   error. once_in_vain: its answer was for the one who asked; in_vain: so was the one before, and nobody need queue
//   for it.
enum class ClaimEnd : uint8_t { open, failed, once_in_vain, in_vain };

// Who fills or validates an object: worker slot and incarnation in one word, comparable with the slot's present
// incarnation.
struct Holder {
  uint64_t incarnation = 0;   // below 2^48; 0 is nobody's
  uint32_t slot = 0;

  static Holder of(uint64_t word) { return Holder{word >> 16, static_cast<uint32_t>(word & 0xffff)}; }
  // Held by nobody any more.
  static Holder nobody(ClaimEnd end) { return Holder{0, static_cast<uint32_t>(end)}; }

  uint64_t word() const { return incarnation << 16 | slot; }
  bool is_nobody() const { return incarnation == 0; }
  ClaimEnd end() const { return is_nobody() ? static_cast<ClaimEnd>(slot) : ClaimEnd::open; }
};

}   // namespace proxyd::cache
