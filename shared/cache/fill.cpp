#include "shared/cache/fill.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "shared/cache/cache.h"
#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr uint64_t kInlineContent = 16u << 10;   // what lies in the head block, and is copied when it is freshened
constexpr uint64_t kFirstExtent = 4u << 10;      // of a content of unknown length; each next one doubles what is there
constexpr uint64_t kSegmentsFrom = 8;            // segments' worth of content, from which on whole segments are taken

bool move_state(Object& object, State state, Kind kind) {
  uint64_t word = object.life.load();
  Life life;
  do {
    life = Life::of(word);
    life.state = state;
    life.kind = kind;
  } while (!object.life.compare_exchange_weak(word, life.word()));
  return !life.dead;
}

}   // namespace

Filler::Filler(Filler&& other) noexcept
    : response_(std::move(other.response_)),
      room_(std::exchange(other.room_, {})),
      allocated_(other.allocated_),
      extents_(other.extents_),
      chains_(other.chains_),
      last_chain_(other.last_chain_),
      hindered_(other.hindered_) {}

Filler& Filler::operator=(Filler&& other) noexcept {
  std::swap(response_, other.response_);
  std::swap(room_, other.room_);
  std::swap(allocated_, other.allocated_);
  std::swap(extents_, other.extents_);
  std::swap(chains_, other.chains_);
  std::swap(last_chain_, other.last_chain_);
  std::swap(hindered_, other.hindered_);
  return *this;
}

Filler::~Filler() {
  if (*this) abort();
}

Object& Filler::object() const { return response_.cache_->member_.view.object(response_.index_); }

// Under the shard's lock: whether something so large may enter at all. What is not large is judged when it is complete.
Written Filler::judge(uint64_t length) {
  Shards& shards = response_.cache_->shards_;
  const Capacity& capacity = shards.capacity();
  if (length > kLargestClass && capacity.is_crowded()) return Written::refused;
  if (length <= capacity.large_limit()) return Written::ok;
  const uint32_t shard = response_.cache_->member_.view.shard_of(response_.index_);
  Eviction& eviction = shards.eviction(shard);
  eviction.set_capacity(capacity.with(shard, length, 0));
  return eviction.admit(object().hash.low, length).verdict == Verdict::enters ? Written::ok : Written::refused;
}

Written Filler::set_head(const Head& head) {
  Cache& cache = *response_.cache_;
  Object& object = this->object();
  const std::string_view key = response_.key();
  const size_t size = HeadBlock::size_of(key, head);
  if (size > kLargestHead || head.stamps.size() > kMostStamps) return Written::no_room;
  const bool all_inside = head.length && *head.length <= kInlineContent && size + *head.length <= kLargestHead;
  const uint32_t size_class = ContentPool::class_for(size + (all_inside ? *head.length : 0));
  const BlockRef block = take(size_class);
  if (block == 0) return cache.pool_.hindered() ? Written::busy : Written::no_room;
  const size_t left = kClassGranules[size_class] * kGranule - size;
  const size_t room = all_inside ? *head.length : head.length ? 0 : left;
  HeadBlock* written = HeadBlock::write(cache.member_.view.block(block), room, key, head, response_.sequence(), true);
  step("set head: written");
  Written outcome = Written::busy;
  {
    Shards::Lock lock(cache.shards_, cache.member_.view.shard_of(response_.index_));
    if (lock) {
      lock.change();
      outcome = judge(head.length.value_or(0));
      if (outcome == Written::ok && !cache.shards_.replace_head(response_.index_, block)) outcome = Written::superseded;
    }
  }
  if (outcome != Written::ok) {
    cache.pool_.free(block, response_.index_);
    return outcome;
  }
  object.length.store(head.length.value_or(kUnknownLength));
  object.keep_until.store(head.keep_until, std::memory_order_relaxed);
  room_ = {written->content(), room};
  allocated_ = room;
  step("set head: before filling");
  move_state(object, State::filling, head.kind);
  step("set head: filling");
  response_.head();   // from now on it needs no other
  cache.wakes_.wake(object, response_.index_);
  return Written::ok;
}

BlockRef Filler::take(uint32_t size_class, bool or_smaller) {
  Cache& cache = *response_.cache_;
  ContentPool& pool = cache.pool_;
  bool waited = false;
  for (uint32_t attempt = 0;;) {
    BlockRef block = pool.take(size_class, response_.index_);
    if (block == 0 && or_smaller && !pool.hindered()) block = pool.take_smaller(size_class, response_.index_);
    if (block != 0) return block;
    // Who fills has followers: a lock that is busy for a moment, as after a death, is waited for, with none held.
    if (pool.hindered() && !std::exchange(waited, true) && pool.wait_for_segments()) continue;
    if (!cache.make_room(cache.member_.view.shard_of(response_.index_), attempt++)) return 0;
  }
}

// Of a known length as little as fits; of an unknown one as much as there is already, within limits.
uint32_t Filler::next_class() const {
  const uint64_t segment = response_.cache_->member_.view.geometry().segment_size;
  const uint64_t length = object().length.load(std::memory_order_relaxed);
  if (length == kUnknownLength) {
    if (allocated_ >= kSegmentsFrom * segment) return kWholeSegment;
    return ContentPool::class_for(std::clamp<uint64_t>(allocated_, kFirstExtent, kLargestClass));
  }
  const uint64_t left = length - allocated_;
  if (length >= kSegmentsFrom * segment && left >= segment) return kWholeSegment;
  return ContentPool::class_for_piece(left);
}

bool Filler::extend() {
  hindered_ = false;
  const uint64_t length = object().length.load(std::memory_order_relaxed);
  if (length != kUnknownLength && allocated_ >= length) return false;
  if (add_extent(length)) return true;
  Cache& cache = *response_.cache_;
  hindered_ = cache.pool_.hindered();
  if (!hindered_) count(cache.member_.tally().no_room);
  return false;
}

bool Filler::add_extent(uint64_t length) {
  Cache& cache = *response_.cache_;
  const uint32_t size_class = next_class();
  BlockRef extent = size_class == kWholeSegment ? cache.pool_.take(kWholeSegment, response_.index_) : 0;
  if (extent == 0) extent = take(std::min(size_class, kSizeClasses - 1), true);
  if (extent == 0) return false;
  step("extend: taken");
  if (!list(extent)) {
    cache.pool_.free(extent, response_.index_);   // or, where that is hindered, by the claim
    return false;
  }
  step("extend: listed");
  cache.pool_.settle(extent, response_.index_);
  const uint64_t size = cache.member_.view.block_size(extent);
  const uint64_t usable = length == kUnknownLength ? size : std::min(size, length - allocated_);
  room_ = {reinterpret_cast<char*>(cache.member_.view.block(extent)), usable};
  allocated_ += size;
  return true;
}

bool Filler::list(BlockRef extent) {
  Cache& cache = *response_.cache_;
  Object& object = this->object();
  if (extents_ < kDirectExtents) {
    object.direct[extents_++].store(extent);
    return true;
  }
  const uint32_t behind = extents_ - kDirectExtents;
  const auto block_at = [&cache](BlockRef ref) {
    return reinterpret_cast<ExtentBlock*>(cache.member_.view.block(ref));
  };
  if (behind == chains_ * kExtentsInBlock) {
    const BlockRef chain = take(ContentPool::class_for(sizeof(ExtentBlock)));
    if (chain == 0) return false;
    new (block_at(chain)) ExtentBlock{};
    step("extend: extent block");
    (last_chain_ == 0 ? object.chain : block_at(last_chain_)->next).store(chain);
    step("extend: extent block linked");
    cache.pool_.settle(chain, response_.index_);
    last_chain_ = chain;
    ++chains_;
  }
  block_at(last_chain_)->extents[behind % kExtentsInBlock].store(extent);
  ++extents_;
  return true;
}

std::span<char> Filler::reserve() {
  if (room_.empty() && !extend()) return {};
  return room_;
}

void Filler::commit(size_t octets) {
  assert(octets <= room_.size());
  if (octets == 0) return;
  Object& object = this->object();
  room_ = room_.subspan(octets);
  step("commit: written");
  object.filled.store(object.filled.load(std::memory_order_relaxed) + octets);
  step("commit: filled");
  response_.cache_->wakes_.wake(object, response_.index_);
}

size_t Filler::append(std::string_view content) {
  size_t taken = 0;
  while (taken < content.size()) {
    const std::span<char> room = reserve();
    if (room.empty()) break;
    const size_t part = std::min(room.size(), content.size() - taken);
    std::memcpy(room.data(), content.data() + taken, part);
    commit(part);
    taken += part;
  }
  return taken;
}

bool Filler::complete() {
  Object& object = this->object();
  const uint64_t filled = object.filled.load(std::memory_order_relaxed);
  const uint64_t length = object.length.load(std::memory_order_relaxed);
  const bool whole = response_.state() == State::filling && (length == kUnknownLength || length == filled);
  if (!whole) {
    abort();
    return false;
  }
  object.length.store(filled);
  step("complete: length");
  end(State::complete, response_.kind(), true);
  return true;
}

void Filler::abort() { end(State::aborted, response_.kind(), false); }

void Filler::not_cacheable(int64_t until, Kind kind) {
  assert(response_.state() == State::opening);
  object().keep_until.store(until, std::memory_order_relaxed);
  end(State::pass, kind, true);
}

// The state first, so that whoever is woken sees it; the eviction after. Where its lock is busy the sweep does the
// rest. Sweeps have passed it by for as long as it was filled: the next looks for what was purged meanwhile.
void Filler::end(State state, Kind kind, bool admit) {
  Cache& cache = *response_.cache_;
  const ObjectIndex index = response_.index_;
  Object& object = this->object();
  const bool dead = !move_state(object, state, kind);
  step("end: state");
  object.filler.store(0);
  step("end: no filler");
  cache.wakes_.wake(object, index);
  if (!dead) {
    if (state == State::complete && response_.purged(cache.published()) == Purged::hard) cache.sweep_anew();
    const uint64_t octets = admit ? cache.shards_.weigh_content(index) : 0;
    Shards::Lock lock(cache.shards_, cache.member_.view.shard_of(index));
    if (lock) {
      lock.change();
      if (admit) {
        cache.shards_.admit(index, octets);
      } else {
        cache.shards_.kill(index);
      }
    }
  }
  response_ = StoredResponse();
  room_ = {};
}

// Where a dead filler stopped: what is listed holds `filled` octets, and its last extent has the room that is left.
void Filler::resume() {
  const RegionView& view = response_.cache_->member_.view;
  if (!response_.has_head() || response_.state() != State::filling) return;
  Object& object = this->object();
  HeadBlock* head = view.head_of(object);
  allocated_ = head->room;
  std::span<char> last{head->content(), head->room};
  const Extents extents(view, object);
  for (Extents::Cursor cursor; const BlockRef block = extents.at(cursor); cursor = extents.after(cursor)) {
    const uint32_t size = view.block_size(block);
    last = {reinterpret_cast<char*>(view.block(block)), size};
    allocated_ += size;
    extents_ = cursor.number + 1;
  }
  for (BlockRef block = object.chain.load(); block != 0;) {
    last_chain_ = block;
    ++chains_;
    block = reinterpret_cast<ExtentBlock*>(view.block(block))->next.load();
  }
  const uint64_t length = object.length.load();
  const uint64_t end = length == kUnknownLength ? allocated_ : std::min(allocated_, length);
  const uint64_t begin = allocated_ - last.size();
  room_ = last.subspan(object.filled.load() - begin, end - object.filled.load());
}

}   // namespace proxyd::cache
