#include "shared/cache/content_pool.h"

#include <algorithm>
#include <bit>

#include "shared/cache/pool_lock.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kMostLooked = 256;   // segments of a class, for those that are empty

uint64_t claim_word(BlockRef block, ObjectIndex owner) { return block | uint64_t{owner} << 32; }

}   // namespace

uint32_t ContentPool::class_for(uint64_t octets) {
  for (uint32_t i = 0; i < kSizeClasses; ++i) {
    if (octets <= uint64_t{kClassGranules[i]} * kGranule) return i;
  }
  return kWholeSegment;
}

uint32_t ContentPool::class_for_piece(uint64_t octets) {
  const uint32_t whole = class_for(octets);
  if (whole == kWholeSegment) return kSizeClasses - 1;
  const uint64_t size = uint64_t{kClassGranules[whole]} * kGranule;
  const bool little_lost = size - octets <= size / 8;
  return little_lost || whole == 0 ? whole : whole - 1;
}

std::atomic<uint32_t>& ContentPool::owner_word(BlockRef block) const {
  const RegionView& view = member_.view;
  const uint32_t number = view.segment_of(block);
  Segment& segment = view.segment(number);
  const uint32_t cut = segment.cut.load(kRelaxed);
  const uint32_t granules =
      cut == 0 || cut > kSizeClasses ? view.geometry().segment_size / kGranule : kClassGranules[cut - 1];
  return segment.owner[(block - view.first_block(number)) / granules];
}

ObjectIndex ContentPool::owner_of(BlockRef block) const { return owner_word(block).load() - 1; }

bool ContentPool::can_claim() const {
  for (const auto& one : member_.slot().claims) {
    if (one.load(kRelaxed) == 0) return true;
  }
  return false;
}

bool ContentPool::claim(BlockRef block, ObjectIndex owner) {
  for (auto& one : member_.slot().claims) {
    if (one.load(kRelaxed) != 0) continue;
    one.store(claim_word(block, owner));
    return true;
  }
  return false;
}

// The whole word: the block may have another owner by now, with a claim of its own.
void ContentPool::settle(BlockRef block, ObjectIndex owner, uint32_t claimant) {
  for (auto& one : member_.view.slot(claimant).claims) {
    if (one.load(kRelaxed) == claim_word(block, owner)) one.store(0);
  }
}

BlockRef ContentPool::take(uint32_t size_class, ObjectIndex owner, Wait wait) {
  hindered_ = true;
  if (!can_claim()) return 0;
  if (size_class == kWholeSegment) return take_whole(owner, wait);
  ClassLock lock(*this, member_, size_class, wait);
  if (!lock) return 0;
  hindered_ = false;
  SizeClass& one = lock.size_class();
  if (one.first == 0 && !add_segment(size_class)) return 0;
  const uint32_t number = one.first - 1;
  Segment& segment = member_.view.segment(number);
  uint32_t word = 0;
  while (segment.free_map[word] == 0) ++word;
  const uint32_t place = word * 64 + static_cast<uint32_t>(std::countr_zero(segment.free_map[word]));
  const BlockRef block = member_.view.first_block(number) + place * kClassGranules[size_class];
  one.intent.store(Intent{block, member_.holder.slot}.word());
  step("take: intent");
  segment.owner[place].store(owner + 1);
  step("take: owner");
  claim(block, owner);
  step("take: claim");
  segment.free_map[word] &= segment.free_map[word] - 1;
  segment.free_blocks.store(segment.free_blocks.load(kRelaxed) - 1, kRelaxed);
  one.used_blocks.store(one.used_blocks.load(kRelaxed) + 1, kRelaxed);
  step("take: map");
  if (segment.free_blocks.load(kRelaxed) == 0) unlist(one, number);
  step("take: list");
  one.intent.store(0);
  return block;
}

bool ContentPool::free(BlockRef block, ObjectIndex owner, uint32_t claimant) {
  if (!owns(block, owner)) {
    settle(block, owner, claimant);
    return true;
  }
  const uint32_t cut = member_.view.segment(member_.view.segment_of(block)).cut.load();
  return cut > kSizeClasses ? free_whole(block, owner, claimant) : free_in_class(cut - 1, block, owner, claimant);
}

bool ContentPool::free_in_class(uint32_t size_class, BlockRef block, ObjectIndex owner, uint32_t claimant) {
  ClassLock lock(*this, member_, size_class, Wait::briefly);
  if (!lock) return false;
  if (!owns(block, owner)) return true;   // the repair that came with the lock has freed it
  SizeClass& one = lock.size_class();
  const uint32_t number = member_.view.segment_of(block);
  Segment& segment = member_.view.segment(number);
  const uint32_t place = (block - member_.view.first_block(number)) / kClassGranules[size_class];
  one.intent.store(Intent{block, claimant}.word());
  step("free: intent");
  segment.owner[place].store(0);
  step("free: owner");
  settle(block, owner, claimant);
  step("free: claim");
  segment.free_map[place / 64] |= uint64_t{1} << (place % 64);
  segment.free_blocks.store(segment.free_blocks.load(kRelaxed) + 1, kRelaxed);
  one.used_blocks.store(one.used_blocks.load(kRelaxed) - 1, kRelaxed);
  step("free: map");
  if (segment.listed == 0) list(one, number);
  step("free: list");
  // The last one with room stays, empty, for the next block: it is dropped when others need its memory.
  if (is_empty(segment) && (segment.next != 0 || segment.previous != 0)) drop_segment(size_class, number);
  step("free: segment");
  one.intent.store(0);
  return true;
}

bool ContentPool::is_empty(const Segment& segment) const {
  const uint32_t size = member_.view.size_of_cut(segment.cut.load(kRelaxed));
  return segment.free_blocks.load(kRelaxed) == member_.view.geometry().segment_size / size;
}

bool ContentPool::drop_empty_segments() {
  bool dropped = false;
  bool busy = false;
  for (uint32_t size_class = 0; size_class < kSizeClasses && !busy; ++size_class) {
    const SizeClass& one = member_.view.superblock().classes[size_class];
    const uint64_t blocks = member_.view.geometry().segment_size / (kClassGranules[size_class] * kGranule);
    if (one.segments.load(kRelaxed) * blocks < one.used_blocks.load(kRelaxed) + blocks) continue;   // none is empty
    ClassLock lock(*this, member_, size_class, Wait::briefly);
    busy = !lock;
    uint32_t number = busy ? 0 : one.first;
    for (uint32_t looked = 0; number != 0 && looked < kMostLooked && !busy; ++looked) {
      const Segment& segment = member_.view.segment(number - 1);
      const uint32_t next = segment.next;
      if (is_empty(segment)) {
        busy = !drop_segment(size_class, number - 1);
        dropped = dropped || !busy;
      }
      number = next;
    }
  }
  return dropped;
}

void ContentPool::list(SizeClass& one, uint32_t segment) {
  Segment& it = member_.view.segment(segment);
  it.previous = 0;
  it.next = one.first;
  if (one.first != 0) member_.view.segment(one.first - 1).previous = segment + 1;
  one.first = segment + 1;
  it.listed = 1;
}

void ContentPool::unlist(SizeClass& one, uint32_t segment) {
  Segment& it = member_.view.segment(segment);
  if (it.next != 0) member_.view.segment(it.next - 1).previous = it.previous;
  if (it.previous != 0) {
    member_.view.segment(it.previous - 1).next = it.next;
  } else {
    one.first = it.next;
  }
  it.listed = 0;
}

// --- segments ---

uint32_t ContentPool::allowed_segments() const {
  const Geometry& geometry = member_.view.geometry();
  uint64_t spent = geometry.fixed;
  for (uint32_t i = 0; i < geometry.shard_count; ++i) {
    spent += uint64_t{member_.view.shard(i).touched.load(kRelaxed)} * sizeof(Object);
  }
  const uint64_t limit = member_.view.superblock().memory_limit.load(kRelaxed);
  // What is fixed belongs to the ceiling: a limit far below it still leaves half of it for content.
  const uint64_t left = limit > 2 * spent ? limit - spent : limit / 2;
  return static_cast<uint32_t>(left / geometry.segment_size);
}

uint32_t ContentPool::touched_segments() const { return member_.view.superblock().pool.touched.load(kRelaxed); }

uint32_t ContentPool::used_segments() const { return member_.view.superblock().pool.used.load(kRelaxed); }

uint64_t ContentPool::used_granules() const {
  const Superblock& superblock = member_.view.superblock();
  uint64_t granules =
      uint64_t{superblock.pool.whole.load(kRelaxed)} * (member_.view.geometry().segment_size / kGranule);
  for (uint32_t i = 0; i < kSizeClasses; ++i) {
    granules += superblock.classes[i].used_blocks.load(kRelaxed) * kClassGranules[i];
  }
  return granules;
}

// Under the pool's lock, as all that handles its lists. What has pages is used before what has none, and that before
// what was never used. Those that are set aside are listed, and passed: there is one for each master at most.
uint32_t ContentPool::take_free_segment() {
  SegmentPool& pool = member_.view.superblock().pool;
  if (pool.used.load(kRelaxed) >= allowed_segments()) return kNone;
  uint32_t* place = pool.first_with_pages != 0 ? &pool.first_with_pages : &pool.first_without;
  while (*place != 0) {
    const uint32_t number = *place - 1;
    Segment& segment = member_.view.segment(number);
    if (segment.cut.load(kRelaxed) == 0) {
      *place = segment.next;
      return number;
    }
    place = &segment.next;
  }
  const uint32_t touched = pool.touched.load(kRelaxed);
  if (touched == member_.view.geometry().segment_count) return kNone;
  pool.touched.store(touched + 1);
  return touched;
}

void ContentPool::list_free_segment(uint32_t number) {
  SegmentPool& pool = member_.view.superblock().pool;
  Segment& segment = member_.view.segment(number);
  const bool has_pages = segment.cut.load(kRelaxed) == 0 && segment.pages.load(kRelaxed) != 0;
  uint32_t& first = has_pages ? pool.first_with_pages : pool.first_without;
  segment.next = first;
  first = number + 1;
}

// Under the class's lock. A death after the cut and before the list: the class's repair lists it.
bool ContentPool::add_segment(uint32_t size_class) {
  uint32_t number = kNone;
  {
    PoolLock lock(*this, member_, Wait::briefly);
    hindered_ = !lock;
    if (!lock) return false;
    number = take_free_segment();
    if (number == kNone) return false;
    SegmentPool& pool = lock.pool();
    Segment& segment = member_.view.segment(number);
    segment.ready = 0;
    segment.listed = 0;
    step("add segment: found");
    segment.cut.store(size_class + 1);
    step("add segment: cut");
    segment.pages.store(1, kRelaxed);
    pool.used.store(pool.used.load(kRelaxed) + 1, kRelaxed);
  }
  step("add segment: counted");
  SizeClass& one = member_.view.superblock().classes[size_class];
  make_map(number);
  step("add segment: map");
  list(one, number);
  one.segments.store(one.segments.load(kRelaxed) + 1, kRelaxed);
  return true;
}

// Of a segment that was free until now: no block of it has an owner.
void ContentPool::make_map(uint32_t number) {
  Segment& segment = member_.view.segment(number);
  const uint32_t blocks = member_.view.geometry().segment_size / member_.view.size_of_cut(segment.cut.load(kRelaxed));
  for (uint32_t word = 0; word < segment.free_map.size(); ++word) {
    const uint32_t left = blocks > word * 64 ? blocks - word * 64 : 0;
    segment.free_map[word] = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
  }
  segment.free_blocks.store(blocks, kRelaxed);
  segment.ready = 1;
}

// Under the class's lock, with nothing in it. False: the pool's lock is busy, it stays, empty, in its class.
bool ContentPool::drop_segment(uint32_t size_class, uint32_t number) {
  PoolLock lock(*this, member_, Wait::briefly);
  if (!lock) return false;
  SizeClass& one = member_.view.superblock().classes[size_class];
  SegmentPool& pool = lock.pool();
  Segment& segment = member_.view.segment(number);
  unlist(one, number);
  step("drop segment: unlisted");
  segment.ready = 0;
  segment.cut.store(0);
  step("drop segment: free");
  list_free_segment(number);
  step("drop segment: listed");
  one.segments.store(one.segments.load(kRelaxed) - 1, kRelaxed);
  pool.used.store(pool.used.load(kRelaxed) - 1, kRelaxed);
  return true;
}

BlockRef ContentPool::take_whole(ObjectIndex owner, Wait wait) {
  PoolLock lock(*this, member_, wait);
  if (!lock) return 0;
  hindered_ = false;
  const uint32_t number = take_free_segment();
  if (number == kNone) return 0;
  SegmentPool& pool = lock.pool();
  Segment& segment = member_.view.segment(number);
  const BlockRef block = member_.view.first_block(number);
  pool.intent.store(Intent{block, member_.holder.slot}.word());
  step("take whole: intent");
  segment.cut.store(kWholeSegment + 1);
  segment.pages.store(1, kRelaxed);
  step("take whole: cut");
  segment.owner[0].store(owner + 1);
  step("take whole: owner");
  claim(block, owner);
  step("take whole: claim");
  pool.used.store(pool.used.load(kRelaxed) + 1, kRelaxed);
  pool.whole.store(pool.whole.load(kRelaxed) + 1, kRelaxed);
  pool.intent.store(0);
  return block;
}

bool ContentPool::free_whole(BlockRef block, ObjectIndex owner, uint32_t claimant) {
  PoolLock lock(*this, member_, Wait::briefly);
  if (!lock) return false;
  if (!owns(block, owner)) return true;
  SegmentPool& pool = lock.pool();
  const uint32_t number = member_.view.segment_of(block);
  Segment& segment = member_.view.segment(number);
  pool.intent.store(Intent{block, claimant}.word());
  step("free whole: intent");
  segment.owner[0].store(0);
  step("free whole: owner");
  settle(block, owner, claimant);
  step("free whole: claim");
  segment.cut.store(0);
  step("free whole: cut");
  list_free_segment(number);
  step("free whole: listed");
  pool.used.store(pool.used.load(kRelaxed) - 1, kRelaxed);
  pool.whole.store(pool.whole.load(kRelaxed) - 1, kRelaxed);
  pool.intent.store(0);
  return true;
}

uint32_t ContentPool::set_aside() {
  PoolLock lock(*this, member_, Wait::patiently);
  if (!lock || lock.pool().first_with_pages == 0) return kNone;
  const uint32_t number = lock.pool().first_with_pages - 1;
  Segment& segment = member_.view.segment(number);
  lock.pool().first_with_pages = segment.next;
  segment.cut.store(kSetAside + member_.holder.slot);
  step("set aside: cut");
  list_free_segment(number);
  return number;
}

void ContentPool::back(uint32_t segment) {
  member_.view.segment(segment).pages.store(0);
  member_.view.segment(segment).cut.store(0);
}

}   // namespace proxyd::cache
