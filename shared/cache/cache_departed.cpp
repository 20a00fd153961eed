#include <sys/mman.h>

#include "shared/cache/cache.h"
#include "shared/cache/extents.h"
#include "shared/cache/step.h"

// What the master does for the region: clears away after a dead worker, moves the limit, gives pages back.
namespace proxyd::cache {
namespace {

// The lock of the repairers for a scope: nothing it guards can be half done, for all of it may be repeated.
class RepairLock {
 public:
  explicit RepairLock(memory::RobustMutex& lock) : lock_(lock), outcome_(lock.acquire()) {
    if (outcome_ == memory::RobustMutex::Outcome::owner_died) lock_.repaired();
  }
  RepairLock(const RepairLock&) = delete;
  RepairLock& operator=(const RepairLock&) = delete;
  ~RepairLock() {
    if (*this) lock_.release();
  }
  explicit operator bool() const { return outcome_ != memory::RobustMutex::Outcome::busy; }

 private:
  memory::RobustMutex& lock_;
  memory::RobustMutex::Outcome outcome_;
};

}   // namespace

// In this order: from now on it counts as dead; what its locks guard is whole; its claims are settled while its pins
// still hold the rows they are for; then what it was freeing and filling; its pins last.
bool Cache::worker_died(uint32_t slot) {
  RepairLock repair(member_.view.superblock().repair_lock);
  if (!repair) return false;
  WorkerSlot& dead = member_.view.slot(slot);
  if (const uint64_t incarnation = dead.incarnation.load(); incarnation != 0) {
    dead.departed.store(incarnation);
    dead.incarnation.store(0);
  }
  const Holder holder{dead.departed.load(), slot};
  step("departed: said");
  bool all = stamps_.visit_lock();
  all = pool_.visit_locks() && all;   // each repairs what it can
  for (uint32_t shard = 0; shard < member_.view.geometry().shard_count; ++shard) {
    all = static_cast<bool>(Shards::Lock(shards_, shard)) && all;
  }
  if (!all || !settle_claims_of(slot, Wait::patiently) || !shards_.finish_freeing(slot, holder) ||
      !end_fills_of(slot, holder)) {
    return false;
  }
  pool_.return_set_aside(slot);
  const uint32_t used = member_.view.pins_used(slot).load();
  for (uint32_t i = 0; i < used; ++i) dead.pins[i].store(0);
  step("departed: pins");
  member_.view.pins_used(slot).store(0);
  for (auto& word : dead.mailbox) word.store(0);
  dead.sleeping.store(0);
  dead.departed.store(0);
  return true;
}

bool Cache::settle_claims_of(uint32_t slot, Wait wait) {
  for (auto& one : member_.view.slot(slot).claims) {
    const uint64_t word = one.load();
    if (word == 0) continue;
    const auto block = static_cast<BlockRef>(word);
    const auto index = static_cast<ObjectIndex>(word >> 32);
    Shards::Lock lock(shards_, member_.view.shard_of(index), wait);
    if (!lock) return false;
    const Object& object = member_.view.object(index);
    if (Life::of(object.life.load()).is_used() && Extents(member_.view, object).lists(block)) {
      one.store(0);
    } else if (!pool_.free(block, index, slot)) {
      return false;
    }
    step("departed: claim");
  }
  return true;
}

// Followers look and take over; what nobody follows is of no use.
bool Cache::end_fills_of(uint32_t slot, Holder dead) {
  WorkerSlot& worker = member_.view.slot(slot);
  const uint32_t used = member_.view.pins_used(slot).load();
  for (uint32_t i = 0; i < used; ++i) {
    const ObjectIndex index = Pin::of(worker.pins[i].load()).index;
    if (index == kNoObject) continue;
    Object& object = member_.view.object(index);
    uint64_t filler = object.filler.load();
    if (filler != dead.word()) continue;
    const State state = Life::of(object.life.load()).state;
    const bool filling = state == State::opening || state == State::filling;
    if (!filling) {
      object.filler.compare_exchange_strong(filler, 0);
    } else if (!pinned_by_others(index, slot)) {
      Shards::Lock lock(shards_, member_.view.shard_of(index));
      if (!lock) return false;
      if (object.filler.load() != filler) continue;
      lock.change();
      shards_.kill(index);   // a late follower may still take it over, for itself
    }
    step("departed: fill");
    wakes_.wake(object, index);
  }
  return true;
}

void Cache::limit_memory(uint64_t octets) {
  member_.view.superblock().memory_limit.store(std::min(octets, member_.view.superblock().ceiling));
}

uint32_t Cache::release_pages(uint32_t segments) {
  uint32_t released = 0;
  for (; released < segments; ++released) {
    const uint32_t number = pool_.set_aside();
    if (number == ContentPool::kNone) break;
    step("pages: set aside");
    ::madvise(member_.view.segment_content(number), member_.view.geometry().segment_size, MADV_REMOVE);
    pool_.back(number);
  }
  return released;
}

}   // namespace proxyd::cache
