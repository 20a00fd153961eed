#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shared/cache/object.h"
#include "shared/memory/robust_mutex.h"
#include "shared/memory/worker_slots.h"

// What lies in the region, in this order:
//   superblock · worker slots · bans · stamps · shard headers · buckets · eviction's memory · segment headers · object
//   table · content. Offsets and 32-bit indices only. Everything is legal when zero, but for the locks and the secret,
//   which the region's creator makes before anybody else maps it.
namespace proxyd::cache {

using Wait = memory::RobustMutex::Wait;

inline constexpr uint32_t kGranule = 256;   // the unit of BlockRef
inline constexpr uint32_t kSizeClasses = 15;
inline constexpr uint32_t kWholeSegment = kSizeClasses;   // a block that is a whole segment
inline constexpr std::array<uint32_t, kSizeClasses> kClassGranules = {2,  3,  4,  6,  8,   12,  16, 24,
                                                                      32, 48, 64, 96, 128, 192, 256};
inline constexpr uint32_t kLargestSegment = 2u << 20;
inline constexpr uint32_t kLargestClass = 64u << 10;
inline constexpr uint32_t kMostBlocks = kLargestSegment / (2 * kGranule);

// The workers' slots, and behind them some for masters (two live during an upgrade), which purge and repair.
inline constexpr uint32_t kMasterSlots = 4;
inline constexpr uint32_t kSlots = kWorkerSlots + kMasterSlots;
inline constexpr uint32_t kPins = 4096;
inline constexpr uint32_t kClaims = 16;
inline constexpr uint32_t kReclaimBatch = 64;
inline constexpr uint32_t kWaitNumbers = 1024;
inline constexpr uint32_t kMostShards = 16;   // more serve no more writers, but less memory well
inline constexpr uint32_t kSlotsInBucket = 7;
inline constexpr uint32_t kBucketsInGroup = 8;

// An object may overflow its home bucket into the others of its group of eight; `away` counts those, so that most
// misses look at one line. A slot is one word, {tag, object index + 1}: it is never seen half written.
struct alignas(64) Bucket {
  std::atomic<uint64_t> away;
  std::array<std::atomic<uint64_t>, kSlotsInBucket> slots;
};

// One purge stamp: the sequence of the last hard and the last soft purge of what it stands for.
struct Stamp {
  std::atomic<uint64_t> hard;
  std::atomic<uint64_t> soft;
};

// One ban. Written under the purge lock while its word in the table is 0; read without a lock, and good if that word
// was the same before and after.
inline constexpr uint32_t kMostBans = 64;
inline constexpr uint32_t kMostBanHosts = 32;
inline constexpr uint32_t kMostBanText = 1024;
struct alignas(64) Ban {
  std::atomic<uint64_t> written;   // the sequence it was written with: what is compiled of it is known by that
  std::atomic<uint32_t> kind;      // BanKind
  std::atomic<uint32_t> host_count;
  std::atomic<uint32_t> size;                               // octets of the expression
  std::array<std::atomic<uint32_t>, kMostBanHosts> hosts;   // their stamps
  std::array<std::atomic<uint64_t>, kMostBanText / sizeof(uint64_t)> text;
};

struct alignas(4096) BanTable {
  std::atomic<uint64_t> newest;                                     // no ban has a higher sequence
  alignas(64) std::array<std::atomic<uint64_t>, kMostBans> words;   // BanWord; 0: no ban
  std::array<Ban, kMostBans> bans;
};

// Rows of a shard linked by their `next`, oldest first.
struct RowList {
  ObjectIndex first;   // kNoObject: it is empty
  ObjectIndex last;
};

// A shard's own: which rows are free, which wait in limbo. Guarded by `lock`; atomics are read without it as well.
struct alignas(128) Shard {
  memory::RobustMutex lock;
  alignas(64) std::atomic<uint32_t> changing;   // 1: something may be half changed; 0: nothing to repair
  std::atomic<uint32_t> touched;                // rows ever used: those behind it were never written
  std::atomic<uint32_t> objects;                // live ones
  std::atomic<uint32_t> limbo;                  // rows in limbo, in either list
  std::atomic<uint64_t> weight;                 // octets of the objects that the eviction knows
  std::atomic<uint64_t> large;                  // of these, octets of objects that are large for a shard
  std::atomic<uint32_t> changed_by;             // worker slot of the holder
  std::atomic<uint32_t> reclaims;               // counts batches, so that two reclaimers do not confuse theirs
  // Rows that enter the index and leave it, the last of each kind, said before they do: no other can be half there.
  std::atomic<ObjectIndex> entering;
  std::atomic<ObjectIndex> leaving;
  ObjectIndex first_free;
  RowList newly_dead;   // of those in limbo: not looked at yet
  RowList waiting;      // that were pinned when they were looked at
};

// 2 MiB (less where the ceiling is small) cut for one size class. The owners are the truth about which blocks are in
// use; the map, the count and the list are rebuilt from them. Guarded by the class's lock.
struct alignas(64) Segment {
  std::atomic<uint32_t> cut;   // size class + 1, or 0: free; guarded by the pool's lock
  std::atomic<uint32_t> free_blocks;
  uint32_t ready;    // 1: map and count are made for this cut
  uint32_t listed;   // 1: in its class's list of segments with a free block
  uint32_t next;     // segment + 1, in its class's list or in the pool's of free ones
  uint32_t previous;
  std::atomic<uint32_t> pages;   // 1: was used since its pages were last given back
  std::array<uint64_t, kMostBlocks / 64> free_map;
  std::array<std::atomic<uint32_t>, kMostBlocks> owner;   // object index + 1; only as many as blocks of 512 octets fit
};

// One class's lock and its list of segments that have a free block. `intent`: {block, worker slot} in the change.
struct alignas(128) SizeClass {
  memory::RobustMutex lock;
  alignas(64) std::atomic<uint64_t> intent;
  std::atomic<uint64_t> used_blocks;
  std::atomic<uint32_t> segments;
  uint32_t first;   // segment + 1
};

struct alignas(128) SegmentPool {
  memory::RobustMutex lock;
  alignas(64) std::atomic<uint64_t> intent;   // {block, worker slot}, of a whole segment
  std::atomic<uint32_t> used;                 // segments cut for a class or used whole
  std::atomic<uint32_t> whole;                // of these, used whole
  std::atomic<uint32_t> touched;              // no segment at or behind this number was ever used
  // Free ones of those that were used, segment + 1: which still have their pages, and which have given them back or
  // are giving them back. Made anew from what segments are cut for when a holder has died.
  uint32_t first_with_pages;
  uint32_t first_without;
};

// A worker's own lines: who it is, what it reads (pins), what it claims, and its mail. The incarnation, written by the
// master or by the worker when it begins, is never 0 while it lives.
struct alignas(128) WorkerSlot {
  std::atomic<uint64_t> incarnation;
  std::atomic<uint64_t> departed;   // incarnation of a dead one that is being cleared away
  std::atomic<uint32_t> sleeping;
  alignas(64) std::array<std::atomic<uint64_t>, kWaitNumbers / 64> mailbox;
  // {object index, block}: taken for an object that does not list it yet, or does no longer. A claim means that the
  // block's owner is that object by this worker's doing, and nobody else frees it.
  alignas(64) std::array<std::atomic<uint64_t>, kClaims> claims;
  std::array<std::atomic<uint32_t>, kReclaimBatch> freeing;   // object index + 1
  alignas(64) std::array<std::atomic<uint64_t>, kPins> pins;
};

// Sums that only grow, for `/cache`. A death loses at most the event it was counting.
struct alignas(64) Tally {
  std::atomic<uint64_t> evicted;
  std::atomic<uint64_t> expired;
  std::atomic<uint64_t> purged;
  std::atomic<uint64_t> refused;   // not kept by the eviction's judgement
  std::atomic<uint64_t> no_room;   // fills that found no block
  std::atomic<uint64_t> pins_full;
  std::atomic<uint64_t> lock_busy;
  std::atomic<uint64_t> taken_over;
  std::atomic<uint64_t> shard_repairs;
  std::atomic<uint64_t> class_repairs;
  std::atomic<uint64_t> emptied_segments;
};

struct alignas(4096) Superblock {
  uint64_t magic;
  uint64_t ceiling;
  std::array<uint64_t, 2> key_secret;
  std::array<uint64_t, 2> stamp_secret;
  std::atomic<uint64_t> memory_limit;             // octets, at most the ceiling; moved by the master
  alignas(128) std::atomic<uint64_t> published;   // sequence of the last purge that holds
  alignas(128) memory::RobustMutex purge_lock;
  std::atomic<uint64_t> purging;     // sequence whose stamps are being written
  memory::RobustMutex repair_lock;   // one repairer of a dead worker at a time
  SegmentPool pool;
  std::array<SizeClass, kSizeClasses> classes;
  Tally tally;
  // Of each slot: no pin is set at or behind this place. Side by side, for whoever frees something looks at all of
  // them.
  alignas(64) std::array<std::atomic<uint32_t>, kSlots> pins_used;
};

}   // namespace proxyd::cache
