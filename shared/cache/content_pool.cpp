#include "shared/cache/content_pool.h"

#include <algorithm>
#include <bit>

#include "shared/cache/pool_lock.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint32_t kMostLooked = 256;   // segments of a class, for those that are empty
constexpr uint32_t kMostLarger = 2;     // times as large as the block that was asked for

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

// What is lost of a larger block is little against a segment that is emptied for a smaller one: where there are few
// segments for each class, every second fill would empty one.
BlockRef ContentPool::take(uint32_t size_class, ObjectIndex owner, Wait wait) {
  hindered_ = true;
  segments_were_busy_ = false;
  if (!can_claim()) return 0;
  if (size_class == kWholeSegment) return take_whole(owner, wait);
  BlockRef block = take_of(size_class, owner, wait);
  const uint32_t most = kClassGranules[size_class] * kMostLarger;
  for (uint32_t i = size_class + 1; block == 0 && !hindered_ && i < kSizeClasses && kClassGranules[i] <= most; ++i) {
    block = take_free(i, owner);
  }
  return block;
}

BlockRef ContentPool::take_smaller(uint32_t size_class, ObjectIndex owner) {
  if (!can_claim()) return 0;
  const uint32_t least = kClassGranules[size_class] / 2;
  BlockRef block = 0;
  for (uint32_t i = size_class; block == 0 && i > 0 && kClassGranules[i - 1] >= least; --i) {
    block = take_free(i - 1, owner);
  }
  return block;
}

BlockRef ContentPool::take_of(uint32_t size_class, ObjectIndex owner, Wait wait) {
  ClassLock lock(*this, member_, size_class, wait);
  if (!lock) return 0;
  hindered_ = false;
  if (lock.size_class().first == 0 && !add_segment(size_class)) return 0;
  return take_listed(lock.size_class(), size_class, owner);
}

bool ContentPool::has_free(uint32_t size_class) const {
  const SizeClass& one = member_.view.superblock().classes[size_class];
  const uint64_t blocks = member_.view.geometry().segment_size / (kClassGranules[size_class] * kGranule);
  return one.segments.load(kRelaxed) * blocks > one.used_blocks.load(kRelaxed);
}

// Of what the class has, where its lock is free.
BlockRef ContentPool::take_free(uint32_t size_class, ObjectIndex owner) {
  if (!has_free(size_class)) return 0;
  ClassLock lock(*this, member_, size_class, Wait::none);
  return lock && lock.size_class().first != 0 ? take_listed(lock.size_class(), size_class, owner) : 0;
}

// Under the class's lock, whose list is not empty.
BlockRef ContentPool::take_listed(SizeClass& one, uint32_t size_class, ObjectIndex owner) {
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

}   // namespace proxyd::cache
