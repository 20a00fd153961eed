#pragma once

#include <bitset>
#include <cstdint>
#include <optional>

#include "shared/cache/content_pool.h"
#include "shared/cache/member.h"

namespace proxyd::cache {

using ShardSet = std::bitset<kMostShards>;

// How much the eviction may keep: in each shard an equal part of what the memory limit leaves, and beside it what is
// large there, which all shards pay for. Sums of words that others change meanwhile, without a lock: of use to whoever
// compares, not to whoever counts. Owned by Shards; any process; nothing fails. All in octets.
class Capacity {
 public:
  Capacity(const Member& member, const ContentPool& pool) : member_(member), pool_(pool) {}

  // Of a shard now; and if a newcomer of so many octets enters, `taken` of which are in blocks already.
  uint64_t of(uint32_t shard) const { return with(shard, 0, 0); }
  uint64_t with(uint32_t shard, uint64_t newcomer, uint64_t taken) const;
  // What the eviction keeps, in all shards.
  uint64_t kept() const;
  // Fills and limbo hold so much that nothing large should begin.
  bool is_crowded() const;
  // The part of a shard's capacity beyond which an object is large.
  uint64_t large_limit() const;
  // The shard that is furthest above its capacity, of all but these; nothing: none is.
  std::optional<uint32_t> fullest(ShardSet but) const;

 private:
  uint64_t allowed() const;
  uint64_t usable(uint64_t taken) const;
  uint64_t large() const;
  uint64_t sum(std::atomic<uint64_t> Shard::* what) const;

  const Member& member_;
  const ContentPool& pool_;
};

}   // namespace proxyd::cache
