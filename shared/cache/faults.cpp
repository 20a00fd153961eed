#include "shared/cache/faults.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"
#include "shared/cache/index.h"
#include "shared/cache/pins.h"
#include "shared/cache/pool_lock.h"

namespace proxyd::cache {
namespace {

// One comparison of a region with itself. Lives for the call.
class Comparison {
 public:
  explicit Comparison(const RegionView& view) : view_(view) {}

  std::vector<std::string> faults() {
    slots();
    owners();
    free_segments();
    for (uint32_t shard = 0; shard < view_.geometry().shard_count; ++shard) rows(shard);
    for (const auto& [block, owner] : owned_) say("block {} is owned by row {}, which does not list it", block, owner);
    return std::move(faults_);
  }

 private:
  template <class... Values>
  void say(fmt::format_string<Values...> text, Values&&... values) {
    if (faults_.size() < 100) faults_.push_back(fmt::format(text, std::forward<Values>(values)...));
  }

  void slots() {
    for (uint32_t number = 0; number < kSlots; ++number) {
      const WorkerSlot& slot = view_.slot(number);
      for (const auto& claim : slot.claims) {
        if (claim.load() != 0) say("worker slot {} claims block {}", number, static_cast<BlockRef>(claim.load()));
      }
      for (const auto& row : slot.freeing) {
        if (row.load() != 0) say("worker slot {} is freeing row {}", number, row.load() - 1);
      }
      for (uint32_t i = 0; i < view_.pins_used(number).load(); ++i) {
        if (slot.pins[i].load() != 0) say("worker slot {} pins row {}", number, Pin::of(slot.pins[i].load()).index);
      }
    }
  }

  // Also one whose pages are being given back, which stays in its list.
  static bool is_free(uint32_t cut) { return cut == 0 || cut >= kSetAside; }

  void owners() {
    std::array<uint64_t, kSizeClasses> used{};
    uint32_t segments = 0;
    uint32_t whole = 0;
    for (uint32_t number = 0; number < view_.geometry().segment_count; ++number) {
      const Segment& segment = view_.segment(number);
      const uint32_t cut = segment.cut.load();
      if (is_free(cut)) continue;
      ++segments;
      whole += cut == kWholeSegment + 1;
      if (number >= view_.superblock().pool.touched.load()) say("segment {} is used and not touched", number);
      const uint32_t granules = cut > kSizeClasses ? view_.geometry().segment_size / kGranule : kClassGranules[cut - 1];
      const uint32_t blocks = view_.geometry().segment_size / (granules * kGranule);
      uint32_t free = 0;
      for (uint32_t place = 0; place < blocks; ++place) {
        const uint32_t owner = segment.owner[place].load();
        const bool in_map = cut <= kSizeClasses && (segment.free_map[place / 64] >> (place % 64) & 1) != 0;
        if (in_map != (owner == 0)) say("segment {}'s map is wrong at block {}", number, place);
        free += owner == 0;
        if (owner != 0) owned_.emplace(view_.first_block(number) + place * granules, owner - 1);
      }
      if (cut > kSizeClasses) continue;
      used[cut - 1] += blocks - free;
      if (segment.free_blocks.load() != free)
        say("segment {} counts {} free blocks", number, segment.free_blocks.load());
      if ((segment.listed != 0) != (free != 0)) say("segment {} is listed: {}", number, segment.listed);
    }
    const Superblock& superblock = view_.superblock();
    if (superblock.pool.used.load() != segments) say("the pool counts {} segments", superblock.pool.used.load());
    if (superblock.pool.whole.load() != whole) say("the pool counts {} whole segments", superblock.pool.whole.load());
    for (uint32_t i = 0; i < kSizeClasses; ++i) {
      const uint64_t counted = superblock.classes[i].used_blocks.load();
      if (counted != used[i]) say("class {} counts {} blocks in use, there are {}", i, counted, used[i]);
    }
  }

  void free_segments() {
    const SegmentPool& pool = view_.superblock().pool;
    std::vector<uint32_t> times(view_.geometry().segment_count, 0);
    for (const uint32_t first : {pool.first_with_pages, pool.first_without}) {
      for (uint32_t at = first; at != 0 && times[at - 1] < 2; at = view_.segment(at - 1).next) ++times[at - 1];
    }
    for (uint32_t number = 0; number < times.size(); ++number) {
      const bool free = number < pool.touched.load() && is_free(view_.segment(number).cut.load());
      if (times[number] != (free ? 1U : 0U)) say("segment {} is {} times among the free", number, times[number]);
    }
  }

  void block(ObjectIndex index, BlockRef ref) {
    const auto found = owned_.find(ref);
    if (found == owned_.end() || found->second != index) {
      say("row {} lists block {}, which it does not own", index, ref);
    } else {
      owned_.erase(found);
    }
  }

  void blocks(ObjectIndex index) {
    const Object& object = view_.object(index);
    if (object.head.load() != 0) block(index, object.head.load());
    for (const auto& retired : object.retired) {
      if (retired.load() != 0) block(index, retired.load());
    }
    Extents(view_, object).each([&](BlockRef ref) {
      block(index, ref);
      return false;
    });
  }

  uint64_t weight_of(const Object& object) const {
    uint64_t octets = view_.block_size(object.head.load());
    Extents(view_, object).each([&](BlockRef ref) {
      octets += view_.block_size(ref);
      return false;
    });
    return octets;
  }

  void rows(uint32_t number) {
    const Shard& shard = view_.shard(number);
    const Index index(view_);
    uint32_t live = 0, dead = 0, free = 0, in_index = 0;
    uint64_t weight = 0;
    uint64_t large = 0;
    const ObjectIndex first = number * view_.geometry().shard_objects;
    for (ObjectIndex row = first; row < first + shard.touched.load(); ++row) {
      const Object& object = view_.object(row);
      const Life life = Life::of(object.life.load());
      free += life.state == State::free;
      if (life.state == State::free) continue;
      blocks(row);
      dead += life.dead && life.state != State::freeing;
      if (life.state == State::freeing) say("row {} is being freed", row);
      if (life.dead) continue;
      ++live;
      if (object.eviction.place.load() != Place::none) {
        weight += object.eviction.weight;
        large += (object.marks.load() & kLarge) != 0 ? object.eviction.weight : 0;
        if (object.eviction.weight != weight_of(object))
          say("row {} weighs {} octets by its blocks, {} for the eviction", row, weight_of(object),
              object.eviction.weight);
      }
      uint32_t found = 0;
      index.candidates(IndexPlace::of(view_.geometry(), object.hash), [&](ObjectIndex one) {
        found += one == row;
        return false;
      });
      if (found != 1) say("row {} is {} times in the index", row, found);
    }
    for (uint32_t group = 0; group < view_.geometry().shard_groups; ++group) {
      for (uint32_t i = 0; i < kBucketsInGroup; ++i) {
        for (const auto& slot : view_.group(number, group)[i].slots) in_index += slot.load() != 0;
      }
    }
    if (in_index != live) say("shard {} has {} live rows and {} index entries", number, live, in_index);
    if (shard.objects.load() != live)
      say("shard {} counts {} objects, there are {}", number, shard.objects.load(), live);
    if (shard.weight.load() != weight)
      say("shard {} counts {} octets, there are {}", number, shard.weight.load(), weight);
    if (shard.large.load() != large)
      say("shard {} counts {} octets as large, there are {}", number, shard.large.load(), large);
    if (Eviction(view_.eviction(number, shard.touched.load())).weight() != weight)
      say("shard {}'s eviction weighs other", number);
    lists(number, free, dead);
    const EvictionState& eviction = *view_.eviction(number, 0).state;
    queue(number, eviction.small, Place::small);
    queue(number, eviction.main, Place::main);
  }

  void queue(uint32_t number, const QueueState& state, Place place) {
    const EvictionMemory memory = view_.eviction(number, view_.shard(number).touched.load());
    uint32_t count = 0;
    uint32_t older = kNoEntry;
    for (uint32_t at = state.oldest; at < memory.entries.count() && count <= state.count;
         at = memory.entries[at].newer) {
      const EvictionEntry& entry = memory.entries[at];
      if (entry.older != older || entry.place.load() != place) say("shard {}'s queue is wrong at row {}", number, at);
      older = at;
      ++count;
    }
    if (older != state.newest || count != state.count) say("shard {}'s queue counts {} rows", number, state.count);
    uint32_t placed = 0;
    for (uint32_t at = 0; at < memory.entries.count(); ++at) placed += memory.entries[at].place.load() == place;
    if (placed != count) say("shard {}'s queue has {} rows, {} say so", number, count, placed);
  }

  void lists(uint32_t number, uint32_t free, uint32_t dead) {
    const Shard& shard = view_.shard(number);
    uint32_t free_listed = 0, limbo = 0, limbo_dead = 0;
    for (ObjectIndex row = shard.first_free; row != kNoObject; row = view_.object(row).next.load()) ++free_listed;
    for (const RowList& list : {shard.newly_dead, shard.waiting}) {
      for (ObjectIndex row = list.first; row != kNoObject; row = view_.object(row).next.load()) {
        ++limbo;
        limbo_dead += Life::of(view_.object(row).life.load()).dead;
      }
    }
    if (free_listed != free) say("shard {} lists {} free rows, there are {}", number, free_listed, free);
    if (limbo_dead != dead) say("shard {} has {} dead rows in limbo, there are {}", number, limbo_dead, dead);
    if (shard.limbo.load() != limbo)
      say("shard {} counts {} in limbo, there are {}", number, shard.limbo.load(), limbo);
  }

  RegionView view_;
  std::unordered_map<BlockRef, ObjectIndex> owned_;
  std::vector<std::string> faults_;
};

}   // namespace

std::vector<std::string> faults_of(const RegionView& view) { return Comparison(view).faults(); }

}   // namespace proxyd::cache
