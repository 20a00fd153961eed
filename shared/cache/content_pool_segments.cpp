#include <utility>

#include "shared/cache/content_pool.h"
#include "shared/cache/pool_lock.h"
#include "shared/cache/step.h"

// Segments: how many may be used, who gets one, which are free.
namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}   // namespace

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

bool ContentPool::wait_for_segments() {
  return std::exchange(segments_were_busy_, false) && PoolLock(*this, member_, Wait::patiently);
}

// Under the class's lock. A death after the cut and before the list: the class's repair lists it.
bool ContentPool::add_segment(uint32_t size_class) {
  uint32_t number = kNone;
  {
    PoolLock lock(*this, member_, Wait::briefly);
    hindered_ = segments_were_busy_ = !lock;
    if (!lock) return false;
    number = take_free_segment();
    if (number == kNone) return false;
    SegmentPool& pool = lock.pool();
    Segment& segment = member_.view.segment(number);
    segment.ready = 0;
    segment.listed = 0;
    step("add segment: found");
    segment.pages.store(1, kRelaxed);   // first: else a death would keep them from being given back
    step("add segment: pages");
    segment.cut.store(size_class + 1);
    step("add segment: cut");
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
