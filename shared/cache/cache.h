#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "shared/cache/accounts.h"
#include "shared/cache/bans.h"
#include "shared/cache/content_pool.h"
#include "shared/cache/fill.h"
#include "shared/cache/member.h"
#include "shared/cache/pins.h"
#include "shared/cache/purge.h"
#include "shared/cache/shards.h"
#include "shared/cache/stored_response.h"
#include "shared/cache/wakes.h"

namespace proxyd::cache {

// What a search came to. `pass`: a hit-for-miss holds, go to the origin without queueing. `unpinnable`: it is there,
// but this worker pins 4,096 objects already; go to the origin.
struct Lookup {
  enum class Outcome : uint8_t { miss, pass, found, unpinnable };
  Outcome outcome = Outcome::miss;
  Purged purged = Purged::no;   // known once the response has its head
  // pass: what says so. found: complete, or opening or filling by somebody: follow it. Else none.
  StoredResponse response;
};

// One process's way into the shared cache: the first thing it makes of the region that it was given, for a worker slot
// and an incarnation that the master told it. One thread. Nothing here suspends, calls a clock, does I/O, allocates
// (after construction, but for bans) or throws; `now` is the caller's, milliseconds that go on across processes of this
// machine. Keys are octets, up to 16 KiB, compared whole.
//
// Locks: `find` and all reading take none. The others take one shard's or one size class's robust mutex for about a
// microsecond and give up after RobustMutex::kPatience with `busy`.
//
// Killed at any instruction: what was complete stays and is served by others; what this worker was filling is taken
// over by a follower or removed; its pins, claims and half-done frees are cleared by `worker_died`, which the master
// calls once it has reaped the process and before the slot is used again. A lock it held is repaired by whoever comes
// next.
class Cache {
 public:
  // `slot`: below kSlots, this process's alone. The region must outlive this.
  Cache(const RegionView& view, uint32_t slot, uint64_t incarnation);
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  // --- a request ---
  uint64_t published() const { return stamps_.published(); }
  Lookup find(std::string_view key, uint64_t sequence, int64_t now);
  // The fill lock of a key. `sequence`: what the request loaded before its lookup. `instead_of`: what find gave, when
  // it is of no use and shall be replaced (a pass that proves cacheable, a response that may not be reused). What is
  // found but hard-purged for `sequence` is replaced as well. An opening or filling object is followed, never replaced,
  // unless it is purged for this request.
  FillLock begin_fill(std::string_view key, uint64_t sequence, int64_t now, const StoredResponse* instead_of = nullptr);
  // When `progress().orphaned`: the fill of a dead worker, from `filled` on, with its sequence. Empty: another was
  // first.
  Filler take_over(const StoredResponse& response);
  // The claim to revalidate a complete object for all. Empty: somebody else has it; serve stale, or wait for
  // `freshened` or not `held`. After a full answer: begin_fill(key, …, &response), which replaces it.
  Revalidation begin_revalidation(const StoredResponse& response);
  // Somebody else holds a handle of the row: another worker, or this one a second time. Looks through all pins, which
  // takes up to a millisecond: for what happens seldom.
  bool has_other_readers(const StoredResponse& response) const;
  // A new head for the same content: after a 304, or another list of a vary head. The object's sequence becomes
  // `sequence`. `superseded`: replaced, purged or freshened meanwhile; find it again. Readers keep the old head.
  Written freshen(const StoredResponse& response, const Head& head, uint64_t sequence);

  // --- purging (the master, and a worker for PURGE) ---
  PurgeStamps& stamps() { return stamps_; }
  Bans& bans() { return bans_; }
  // Marks the object of this key dead at once, so that its memory comes back. After the stamps; an optimization only.
  bool drop(std::string_view key);
  // The same for this very object, which nobody purged. False: a lock was busy.
  bool withdraw(const StoredResponse& response);

  // --- once a loop pass ---
  // A bounded piece of housekeeping, about a microsecond; at most each millisecond unless more is waiting: frees what
  // nobody pins any more, evicts above the memory limit, gives emptied segments back, sweeps a few rows for what is
  // expired, purged or orphaned. Waits for no lock. True: more is waiting.
  bool tend(int64_t now);
  static constexpr uint32_t kRowsInTend = 8;   // that are swept
  // Before epoll_wait: true: mail is waiting already, do not sleep. `awake` after it.
  bool going_to_sleep() { return wakes_.going_to_sleep(); }
  void awake() { wakes_.awake(); }
  // Wait numbers whose followers must look again, and no longer in the mailbox.
  WaitNumbers take_mail() { return wakes_.take_mail(); }
  // Worker slots whose eventfd must be written now, because mail was put there while they slept.
  std::bitset<kSlots> take_wakes() { return wakes_.take_sleepers(); }

  // --- the master ---
  // Repairs everything a reaped worker may have left. False: a lock was busy; call again.
  bool worker_died(uint32_t slot);
  // Moves the memory limit; `tend` evicts down to it.
  void limit_memory(uint64_t octets);
  // Gives the pages of at most `segments` free segments back to the kernel; how many there were. The one system call of
  // this class.
  uint32_t release_pages(uint32_t segments);

  // --- seeing inside ---
  // The next live object at or behind row `cursor` within `rows` rows, and where to go on (0: the walk is over).
  struct Step {
    StoredResponse response;
    ObjectIndex next = 0;
  };
  Step walk(ObjectIndex cursor, uint32_t rows);
  Accounts accounts() const;
  const Member& member() const { return member_; }

 private:
  friend class StoredResponse;
  friend class Filler;
  friend class Revalidation;

  StoredResponse pin(ObjectIndex index, const KeyHash& hash, std::string_view key);
  StoredResponse pin_living(ObjectIndex index);
  Purged newest_purge(const HeadBlock& head);
  bool replaceable(ObjectIndex index, uint64_t sequence, int64_t now, const StoredResponse* instead_of) const;
  FillLock open_fill(const IndexPlace& place, const KeyHash& hash, std::string_view key, uint64_t sequence, int64_t now,
                     const StoredResponse* instead_of);
  Filler make(const IndexPlace& place, const KeyHash& hash, std::string_view key, uint64_t sequence, ObjectIndex old);
  bool shrink(ShardSet busy);
  bool make_room(uint32_t shard, uint32_t attempt);
  bool make_row(uint32_t shard, uint32_t attempt);
  bool evict(uint32_t shard, bool above_alone, Wait wait);
  bool evict_from(uint32_t first);
  bool empty_segment(uint32_t number);
  bool empty_cheapest(uint64_t at_most);
  // What a look for dead rows in all shards came to.
  struct Freed {
    uint32_t rows = 0;
    bool more = false;   // some were not looked at, for there were too many
    ShardSet busy;       // nor those of these shards
  };
  Freed reclaim_from(uint32_t first, uint32_t batches, Wait wait = Wait::none);
  bool keep_within_capacity(ShardSet but);
  void sweep(uint32_t rows, int64_t now);
  void sweep_anew();
  bool sweep_row(ObjectIndex index, int64_t now);
  bool settle_claims_of(uint32_t slot, Wait wait);
  bool end_fills_of(uint32_t slot, Holder dead);
  bool pinned_by_others(ObjectIndex index, uint32_t but) const;

  Member member_;
  PurgeStamps stamps_;
  Bans bans_;
  Pins pins_;
  ContentPool pool_;
  Shards shards_;
  Wakes wakes_;
  uint32_t tended_ = 0;        // shard whose limbo was looked at last
  ShardSet busy_;              // shards that could not be looked at before the present pause
  uint32_t emptied_to_ = 0;    // segment from which on the next to be emptied is looked for
  ObjectIndex swept_to_ = 0;   // row
  bool walking_ = false;       // over all rows; a walk ends at the last
  bool skipped_ = false;       // it could not look at one
  uint64_t sweeping_ = 0;      // `published` when the present walk began
  uint64_t swept_ = 0;         // and when the last whole one did: purges up to it are swept
  int64_t pause_until_ = 0;    // ms; until then nothing new can be freed
  bool pins_full_ = false;
  bool rows_full_ = false;   // of the last shard that was asked for one
};

}   // namespace proxyd::cache
