#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "shared/cache/fill.h"

namespace proxyd::cache {

// The block that begins a stored response: whole key, stamps, the caller's metadata, field section, and room for
// content behind them. Written once before the object names it, never changed after but for `checked`, `banned` and
// `bans_seen`; another head replaces it whole. In the region; freed when no pin names it.
struct HeadBlock {
  uint64_t sequence;                       // purges up to it cannot concern this response
  mutable std::atomic<uint64_t> checked;   // purges up to it were looked at, and none concerned it
  // Bans up to it were looked at, and what they say is in `banned`.
  mutable std::atomic<uint64_t> bans_seen;
  uint32_t key_size;
  uint32_t stamp_count;
  uint32_t metadata_size;
  uint32_t section_size;
  uint32_t room;                          // octets of content that lie here; the extents hold what follows
  uint16_t complete;                      // 0: only the key yet
  mutable std::atomic<uint16_t> banned;   // Purged: by a ban that was found to concern it, for good

  static size_t stamps_at() { return sizeof(HeadBlock); }
  size_t metadata_at() const { return (stamps_at() + stamp_count * sizeof(uint32_t) + 7) & ~size_t{7}; }
  size_t key_at() const { return metadata_at() + metadata_size; }
  size_t section_at() const { return key_at() + key_size; }
  size_t content_at() const { return section_at() + section_size; }

  const char* at(size_t offset) const { return reinterpret_cast<const char*>(this) + offset; }
  std::string_view key() const { return {at(key_at()), key_size}; }
  std::string_view metadata() const { return {at(metadata_at()), metadata_size}; }
  std::string_view section() const { return {at(section_at()), section_size}; }
  std::span<const uint32_t> stamps() const { return {reinterpret_cast<const uint32_t*>(at(stamps_at())), stamp_count}; }
  char* content() { return reinterpret_cast<char*>(this) + content_at(); }
  const char* content() const { return at(content_at()); }

  // Octets of a head without room for content.
  static size_t size_of(std::string_view key, const Head& head) {
    HeadBlock sizes = sizes_of(key, head);
    return sizes.content_at();
  }
  // Writes a whole head at `place`, with room for so much content behind it.
  static HeadBlock* write(std::byte* place, size_t room, std::string_view key, const Head& head, uint64_t sequence,
                          bool complete) {
    auto* block = new (place) HeadBlock(sizes_of(key, head));
    block->sequence = sequence;
    block->checked.store(sequence, std::memory_order_relaxed);
    block->bans_seen.store(sequence, std::memory_order_relaxed);
    block->room = static_cast<uint32_t>(room);
    block->complete = complete;
    const auto put = [place](size_t at, const void* from, size_t count) {
      if (count != 0) std::memcpy(place + at, from, count);
    };
    put(stamps_at(), head.stamps.data(), head.stamps.size_bytes());
    put(block->metadata_at(), head.metadata.data(), head.metadata.size());
    put(block->key_at(), key.data(), key.size());
    put(block->section_at(), head.section.data(), head.section.size());
    return block;
  }

  HeadBlock() = default;
  HeadBlock(const HeadBlock& other) { std::memcpy(static_cast<void*>(this), &other, sizeof other); }

 private:
  static HeadBlock sizes_of(std::string_view key, const Head& head) {
    HeadBlock block;
    std::memset(static_cast<void*>(&block), 0, sizeof block);
    block.key_size = static_cast<uint32_t>(key.size());
    block.stamp_count = static_cast<uint32_t>(head.stamps.size());
    block.metadata_size = static_cast<uint32_t>(head.metadata.size());
    block.section_size = static_cast<uint32_t>(head.section.size());
    return block;
  }
};
static_assert(sizeof(HeadBlock) == 48);

}   // namespace proxyd::cache
