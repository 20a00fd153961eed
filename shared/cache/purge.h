#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "shared/cache/region_view.h"
#include "shared/cache/stored_response.h"

namespace proxyd::cache {

// What one stamp stands for. A URL is the primary key before Vary; a prefix a host with directories to depth 8, as the
// caller spells them; `any_tag` guards objects with more tags than they carry; `everything` everything.
enum class StampKind : uint8_t { url, tag, host, prefix, any_tag, everything };

enum class PurgeMode : uint8_t { soft, hard };

// The table of purge stamps: a purge writes a sequence into the words of what it purges, whatever number of objects
// that matches; an object names the words that concern it and compares. A view, copied freely, any process; no
// suspension. Two subjects may share a word: purged too much, never too little. Killed at any instruction: stamps
// written and not published are published by the next purger; what was answered holds.
class PurgeStamps {
 public:
  explicit PurgeStamps(const RegionView& view) : view_(view) {}

  // A request loads this once, before its lookup: it bounds every check, and is the sequence of what it stores.
  uint64_t published() const { return view_.superblock().published.load(std::memory_order_acquire); }
  uint32_t stamp_of(StampKind kind, std::string_view text) const;
  // The sequence of this purge, which holds for all workers when it returns; nothing when the lock could not be had in
  // its patience, or briefly: ask again. Costs two words for each stamp.
  std::optional<uint64_t> purge(std::span<const uint32_t> stamps, PurgeMode mode, Wait wait = Wait::patiently);
  // Publishes what a dead purger wrote. False: the lock was busy.
  bool visit_lock();
  // Whether one of the stamps is newer than `since`, the sequence of an object.
  Purged newest(std::span<const uint32_t> stamps, uint64_t since) const;
  // The share of all words that carry a stamp: how likely an unrelated object is purged by one collision.
  double share_in_use(uint32_t sampled) const;

 private:
  friend class Bans;
  // A purge is what lies between these two: a sequence that nobody else has, and nothing where the lock is busy; and
  // that all of it holds.
  std::optional<uint64_t> begin(Wait wait = Wait::patiently);
  void publish(uint64_t sequence);
  void write(uint32_t stamp, PurgeMode mode, uint64_t sequence);
  bool lock(Wait wait);
  RegionView view_;
};

}   // namespace proxyd::cache
