#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "shared/cache/stored_response.h"

namespace proxyd::cache {

// Everything of a response but its content. Borrowed for the call.
struct Head {
  Kind kind = Kind::response;
  std::string_view metadata;          // opaque to the cache: times, status, whatever the caller decides by
  std::string_view section;           // the field section, ready to send
  std::span<const uint32_t> stamps;   // of the URL, host, prefixes, tags (purge.h); at most kMostStamps
  std::optional<uint64_t> length;     // of the content, when it is known
  int64_t keep_until = 0;             // ms on the caller's clock; after it the sweep may take the object
};
inline constexpr size_t kMostStamps = 160;
// Key, metadata, section and stamps together.
inline constexpr size_t kLargestHead = 64u << 10;

// ok; refused: the eviction does not want something so large, now or ever; busy: a lock could not be had within its
// patience, nothing changed, try again later or go without; no_room: the cache has no block for it and could not make
// one; superseded: the object is not what it was any more (dead, freshened by another, too many old heads still
// pinned).
enum class Written : uint8_t { ok, busy, no_room, refused, superseded };

// The right and the duty to fill one object: at most one living worker has it. Made by Cache::begin_fill, or by
// Cache::take_over after a filler's death. Owned by one request; movable; never suspends. What it writes is readable at
// once by all followers, whom each step wakes. Dropped without `complete`, it aborts: readers are told, none is served
// half a response as a whole one. A crash at any instruction leaves an object that is `orphaned`: its followers see it
// within 100 ms, one takes over from `filled`; if nobody follows it, the master removes it.
// A purge that was published after `sequence` is never outrun: what is stored here counts as older than it.
class Filler {
 public:
  Filler() = default;
  Filler(Filler&& other) noexcept;
  Filler& operator=(Filler&& other) noexcept;
  ~Filler();

  explicit operator bool() const { return static_cast<bool>(response_); }
  // The handle of this very object, for this request's own client: a reader like any other.
  const StoredResponse& response() const { return response_; }
  uint64_t sequence() const { return response_.sequence(); }

  // Once, before any content. A vary head has no content: `complete` next, which tells the followers to go on to the
  // variants. A known length that is large for the cache is refused here, before anything is written, unless its key
  // was asked for before. After anything but ok or busy: `abort` or `not_cacheable`.
  Written set_head(const Head& head);
  // Room for content, straight in the region, to read from a socket into; empty: no room (`abort`), or `hindered`. At
  // least one octet, usually up to 64 KiB, never beyond a known length.
  std::span<char> reserve();
  // `count` octets of what `reserve` gave are written: followers may read them.
  void commit(size_t count);
  // Copies; how many octets were taken, fewer than given when there is no room.
  size_t append(std::string_view content);
  // The last of these two came short because a lock was busy, not for want of room: ask again in some milliseconds.
  bool hindered() const { return hindered_; }
  // All of it is there. Without a known length, that is what it is now. Returns false, and aborts, when a known length
  // is not reached. The eviction decides here whether it stays; this request's handle is good in either case.
  bool complete();
  // Nothing of this may be used as a whole. Followers are cut or fetch themselves.
  void abort();
  // Only before set_head: until that time requests for this key do not queue for each other. Whoever finds the pass
  // sees its kind.
  void not_cacheable(int64_t until, Kind kind = Kind::response);

 private:
  friend class Cache;
  explicit Filler(StoredResponse response) : response_(std::move(response)) {}
  Object& object() const;
  Written judge(uint64_t length);
  void resume();
  bool extend();
  bool add_extent(uint64_t length);
  uint32_t next_class() const;
  BlockRef take(uint32_t size_class, bool or_smaller = false);
  bool list(BlockRef extent);
  void end(State state, Kind kind, bool admit);

  StoredResponse response_;
  std::span<char> room_;     // the rest of the last extent, where the next octets go
  uint64_t allocated_ = 0;   // octets that head and extents hold together
  uint32_t extents_ = 0;
  uint32_t chains_ = 0;   // extent blocks
  BlockRef last_chain_ = 0;
  bool hindered_ = false;
};

// Whoever makes sure that one request revalidates a stale object for all. Holds the object's handle and its claim; the
// object stays in the index and is served stale to whoever may. Dropped, or ended: the claim is free again and the
// waiters are woken. A crash leaves the claim of a dead worker, which the next one takes.
class Revalidation {
 public:
  Revalidation() = default;
  Revalidation(Revalidation&& other) noexcept;
  Revalidation& operator=(Revalidation&& other) noexcept;
  ~Revalidation();
  explicit operator bool() const { return static_cast<bool>(response_); }
  const StoredResponse& response() const { return response_; }
  // What those who waited are told, so that they need not try one after another; in_vain the first time is
  // once_in_vain.
  void end(ClaimEnd how);

 private:
  friend class Cache;
  Revalidation(StoredResponse response, ClaimEnd before) : response_(std::move(response)), before_(before) {}
  StoredResponse response_;
  ClaimEnd before_ = ClaimEnd::open;   // how the one before it ended
};

// What begin_fill came to. `filler`: this request fetches, `filler` is set. `follow`: somebody does, `response` is what
// arrives. `found`: it is there meanwhile, `response` is it. `pass`: a hit-for-miss holds. `busy`, `no_room`: go to the
// origin without storing.
struct FillLock {
  enum class Outcome : uint8_t { filler, follow, found, pass, busy, no_room };
  Outcome outcome = Outcome::busy;
  Filler filler;
  StoredResponse response;
};

}   // namespace proxyd::cache
