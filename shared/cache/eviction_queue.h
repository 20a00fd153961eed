#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace proxyd::cache {

inline constexpr uint32_t kNoEntry = UINT32_MAX;

enum class Place : uint8_t { none, small, main };

// What the eviction knows of one object: 24 octets of the object's row, in its mutable cache line. `uses` is raised by
// readers without a lock; all else is read and written under the shard's mutex. `place`, `weight`, `fingerprint` and
// `uses` are the truth; the links can be made again from them. All zero is an entry of no object.
struct EvictionEntry {
  static constexpr uint8_t kMostUses = 3;

  uint32_t older;   // neighbours in its queue, row numbers
  uint32_t newer;
  uint64_t weight;   // octets
  uint32_t fingerprint;
  std::atomic<uint8_t> uses;
  std::atomic<Place> place;   // stored last when an object enters, first when it leaves
  uint8_t mark;               // of a rebuild, meaningless outside
  uint8_t unused;

  // A reader's: no lock. Two at once may count as one; an entry that is used enough is not written to.
  void use();
  // For a repair that finds a live object which no queue had yet, or has lost: all but the links, `place` last.
  void describe(uint64_t hash, uint64_t octets, Place where);
  void forget() { place.store(Place::none, std::memory_order_release); }   // its object is dead
};
static_assert(sizeof(EvictionEntry) == 24 && alignof(EvictionEntry) == 8);

// Where the entries lie: in an array of their own or inside the rows of objects, `stride` octets apart.
class EntryRows {
 public:
  EntryRows(EvictionEntry* first, size_t stride, uint32_t count)
      : first_(reinterpret_cast<std::byte*>(first)), stride_(stride), count_(count) {}
  EvictionEntry& operator[](uint32_t index) const {
    return *reinterpret_cast<EvictionEntry*>(first_ + index * stride_);
  }
  uint32_t count() const { return count_; }

 private:
  std::byte* first_;
  size_t stride_;
  uint32_t count_;
};

struct QueueState {
  uint64_t weight;   // of all in it, octets
  uint32_t oldest;   // kNoEntry when empty
  uint32_t newest;
  uint32_t count;
  uint32_t unused;
};

// A change of one queue, as it is to be afterwards: made again it is the same, whatever part of it was made.
struct QueueChange {
  enum class Kind : uint32_t { none, apart, unlink, add, reweigh };   // apart: the entry is in no queue, and will be

  Kind kind;
  Place place;   // the queue
  uint32_t index;
  uint32_t newest;   // add: of the queue before
  uint32_t count;    // of the queue
  uint32_t unused;
  uint64_t weight;         // of the queue
  uint64_t entry_weight;   // reweigh
};

// The last change of either queue of a shard, noted before it is made. One store takes the place of the one before.
struct QueueJournal {
  std::array<QueueChange, 2> changes;
  std::atomic<uint32_t> current;

  const QueueChange& last() const { return changes[current.load(std::memory_order_relaxed) % 2]; }
  void note(const QueueChange& change);
};

// A first-in first-out queue of entries, linked both ways by row numbers. Under the shard's mutex. A process may die
// between any two stores: then what the journal says last is made again, or all is made anew by `rebuild`, before
// anything else.
class EvictionQueue {
 public:
  EvictionQueue(QueueState& state, QueueJournal& journal, EntryRows rows, Place place)
      : state_(state), journal_(journal), rows_(rows), place_(place) {}

  void add(uint32_t index);      // as the newest; it is in no queue
  void unlink(uint32_t index);   // it is in this one; its `place` is the caller's to change
  void reweigh(uint32_t index, uint64_t weight);
  // Makes a change, or makes it again.
  void make(const QueueChange& change);
  void reset();
  // Links anew every entry whose place is this queue: in their order from both ends as far as the links are sane, then
  // what chains are left between. All marks are zero before.
  void rebuild();

  uint64_t weight() const { return state_.weight; }
  uint32_t count() const { return state_.count; }
  uint32_t oldest() const { return state_.oldest; }

 private:
  struct Chain {
    uint32_t oldest = kNoEntry;
    uint32_t newest = kNoEntry;
  };
  Chain newer_from(uint32_t start);   // marks what it comes by, as far as links are sane
  Chain older_from(uint32_t start);
  bool unvisited(uint32_t index) const;
  void link(Chain chain);   // as the newest
  void note_and_make(const QueueChange& change);
  QueueState& state_;
  QueueJournal& journal_;
  EntryRows rows_;
  Place place_;
};

}   // namespace proxyd::cache
