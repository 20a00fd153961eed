#include "shared/cache/content_pool.h"
#include "shared/cache/pool_lock.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

}   // namespace

// A block that a dead holder was taking was not listed yet, one that it was freeing is not listed any more or is listed
// by an object that is being freed, which looks at the owner: both end as free, without claim. Where the segment is not
// cut as before, the block was freed and the segment with it.
void ContentPool::undo(uint64_t word, uint32_t cut) {
  const Intent intent = Intent::of(word);
  if (intent.block == 0 || member_.view.segment(member_.view.segment_of(intent.block)).cut.load() != cut) return;
  for (auto& one : member_.view.slot(intent.slot).claims) {
    if (static_cast<BlockRef>(one.load(kRelaxed)) == intent.block) one.store(0);
  }
  step("undo: claim");
  owner_word(intent.block).store(0);
  step("undo: owner");
}

void ContentPool::rebuild(uint32_t number) {
  Segment& segment = member_.view.segment(number);
  const uint32_t granules = kClassGranules[segment.cut.load(kRelaxed) - 1];
  const uint32_t blocks = member_.view.geometry().segment_size / (granules * kGranule);
  segment.free_map.fill(0);
  uint32_t free = 0;
  for (uint32_t place = 0; place < blocks; ++place) {
    if (segment.owner[place].load(kRelaxed) != 0) continue;
    segment.free_map[place / 64] |= uint64_t{1} << (place % 64);
    ++free;
  }
  segment.free_blocks.store(free, kRelaxed);
  segment.ready = 1;
}

void ContentPool::repair_class(uint32_t size_class) {
  SizeClass& one = member_.view.superblock().classes[size_class];
  const uint64_t intent = one.intent.load();
  undo(intent, size_class + 1);
  const uint32_t damaged = intent == 0 ? kNone : member_.view.segment_of(Intent::of(intent).block);
  const uint32_t blocks = member_.view.geometry().segment_size / (kClassGranules[size_class] * kGranule);
  one.first = 0;
  uint64_t used = 0;
  uint32_t segments = 0;
  for (uint32_t number = 0; number < touched_segments(); ++number) {
    Segment& segment = member_.view.segment(number);
    if (segment.cut.load() != size_class + 1) continue;
    if (segment.ready == 0 || number == damaged) rebuild(number);
    segment.listed = 0;
    if (segment.free_blocks.load(kRelaxed) != 0) list(one, number);
    used += blocks - segment.free_blocks.load(kRelaxed);
    ++segments;
  }
  step("repair class: listed");
  one.used_blocks.store(used, kRelaxed);
  one.segments.store(segments, kRelaxed);
  one.intent.store(0);
}

void ContentPool::repair_pool() {
  SegmentPool& pool = member_.view.superblock().pool;
  const uint64_t intent = pool.intent.load();
  if (intent != 0) {
    const uint32_t number = member_.view.segment_of(Intent::of(intent).block);
    undo(intent, kWholeSegment + 1);
    member_.view.segment(number).cut.store(0);
  }
  uint32_t used = 0;
  uint32_t whole = 0;
  pool.first_with_pages = pool.first_without = 0;
  for (uint32_t number = 0; number < touched_segments(); ++number) {
    const uint32_t cut = member_.view.segment(number).cut.load();
    used += cut != 0 && cut < kSetAside;
    whole += cut == kWholeSegment + 1;
    if (cut == 0 || cut >= kSetAside) list_free_segment(number);
  }
  pool.used.store(used, kRelaxed);
  pool.whole.store(whole, kRelaxed);
  pool.intent.store(0);
}

bool ContentPool::visit_locks() {
  for (uint32_t i = 0; i < kSizeClasses; ++i) {
    if (!ClassLock(*this, member_, i, Wait::patiently)) return false;
  }
  return static_cast<bool>(PoolLock(*this, member_, Wait::patiently));
}

void ContentPool::return_set_aside(uint32_t slot) {
  for (uint32_t number = 0; number < touched_segments(); ++number) {
    if (member_.view.segment(number).cut.load(kRelaxed) == kSetAside + slot) member_.view.segment(number).cut.store(0);
  }
}

}   // namespace proxyd::cache
