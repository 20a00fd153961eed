#include "shared/cache/stored_response.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "shared/cache/cache.h"
#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"

namespace proxyd::cache {

StoredResponse::StoredResponse(StoredResponse&& other) noexcept
    : cache_(std::exchange(other.cache_, nullptr)),
      head_(std::exchange(other.head_, nullptr)),
      index_(std::exchange(other.index_, kNoObject)),
      pin_(other.pin_),
      has_let_go_(other.has_let_go_),
      walk_(other.walk_) {}

StoredResponse& StoredResponse::operator=(StoredResponse&& other) noexcept {
  std::swap(cache_, other.cache_);
  std::swap(head_, other.head_);
  std::swap(index_, other.index_);
  std::swap(pin_, other.pin_);
  std::swap(has_let_go_, other.has_let_go_);
  std::swap(walk_, other.walk_);
  return *this;
}

StoredResponse::~StoredResponse() {
  if (cache_ == nullptr) return;
  if (has_let_go_) {
    cache_->pins_.unpin_content(pin_);
  } else {
    cache_->pins_.unpin(pin_);
  }
}

StoredResponse StoredResponse::share() const {
  cache_->pins_.share(pin_);
  StoredResponse other(cache_, index_, pin_, head_);
  if (has_let_go_) cache_->pins_.let_head_go(pin_);
  other.has_let_go_ = has_let_go_;
  return other;
}

void StoredResponse::let_head_go() {
  if (has_let_go_ || state() != State::complete || !has_head() || head_->room != 0) return;
  has_let_go_ = true;
  cache_->pins_.let_head_go(pin_);
}

const Object& StoredResponse::object() const { return cache_->member_.view.object(index_); }

// Once it is settled, from a pin of whatever heads the object has to one of this head, so that older ones can be freed;
// for all handles of the pin.
const HeadBlock* StoredResponse::head() const {
  assert(!has_let_go_);
  if (head_ != nullptr) return head_;
  const RegionView& view = cache_->member_.view;
  const BlockRef held = cache_->pins_.head(pin_);
  if (held != 0) return head_ = view.head(held);
  const bool settled = state() != State::opening;   // before the head: until then a taken over fill may set another
  const BlockRef block = object().head.load();
  const HeadBlock* head = view.head(block);
  if (settled && head->complete != 0) {
    head_ = head;
    cache_->pins_.narrow(pin_, block);
  }
  return head;
}

State StoredResponse::state() const { return Life::of(object().life.load()).state; }
Kind StoredResponse::kind() const { return Life::of(object().life.load()).kind; }
bool StoredResponse::has_head() const { return head() == head_; }
std::string_view StoredResponse::key() const { return head()->key(); }
std::string_view StoredResponse::metadata() const { return head()->metadata(); }
std::string_view StoredResponse::section() const { return head()->section(); }
std::span<const uint32_t> StoredResponse::stamps() const { return head()->stamps(); }
uint64_t StoredResponse::sequence() const { return head()->sequence; }
int64_t StoredResponse::keep_until() const { return object().keep_until.load(std::memory_order_relaxed); }
uint64_t StoredResponse::filled() const { return object().filled.load(std::memory_order_acquire); }
uint32_t StoredResponse::wait_number() const { return index_ % kWaitNumbers; }

std::optional<uint64_t> StoredResponse::length() const {
  const uint64_t length = object().length.load(std::memory_order_acquire);
  return length == kUnknownLength ? std::nullopt : std::optional(length);
}

size_t StoredResponse::content(uint64_t offset, std::span<std::string_view> ranges) const {
  const uint64_t filled = this->filled();
  const RegionView& view = cache_->member_.view;
  const Extents extents(view, object());
  size_t count = 0;
  const uint64_t in_head = filled == 0 || has_let_go_ ? 0 : head()->room;
  const auto give = [&](const char* from, uint64_t begin, uint64_t size) {
    const uint64_t end = std::min(begin + size, filled);
    if (offset >= end) return;
    ranges[count++] = {from + (offset - begin), end - offset};
    offset = end;
  };
  if (offset < in_head && count < ranges.size()) give(head()->content(), 0, in_head);
  Walk walk = walk_;
  if (walk.offset < in_head || offset < walk.offset) walk = Walk{in_head, 0, 0};
  while (offset < filled && count < ranges.size()) {
    const Extents::Cursor cursor{walk.extent, walk.block};
    const BlockRef block = extents.at(cursor);
    const uint64_t size = view.block_size(block);
    if (offset < walk.offset + size) {
      if (count == 0) walk_ = walk;   // who reads on begins here or behind
      give(reinterpret_cast<const char*>(view.block(block)), walk.offset, size);
      continue;
    }
    const Extents::Cursor next = extents.after(cursor);   // listed, for there is more than what lies before it
    walk = Walk{walk.offset + size, next.number, next.block};
  }
  return count;
}

Purged StoredResponse::purged(uint64_t sequence) const {
  const HeadBlock& head = *this->head();
  if (head.complete == 0 || head.checked.load(std::memory_order_relaxed) >= sequence) return Purged::no;
  const Purged purged = cache_->newest_purge(head);
  if (purged == Purged::no) head.checked.store(sequence, std::memory_order_relaxed);
  return purged;
}

Progress StoredResponse::progress() const {
  const Object& object = this->object();
  const RegionView& view = cache_->member_.view;
  Progress progress;
  const Life life = Life::of(object.life.load());   // before `filled`, which is final once it is complete
  progress.filled = object.filled.load();
  progress.state = life.state;
  progress.dead = life.dead;
  const uint64_t filler = object.filler.load();
  progress.held = !Holder::of(filler).is_nobody();
  progress.orphaned = progress.held && !view.alive(filler);
  progress.claim_end = Holder::of(filler).end();
  progress.freshened = head_ != nullptr && view.head_of(object) != head_;
  return progress;
}

Progress StoredResponse::arm() const {
  cache_->member_.view.object(index_).waiters.fetch_or(uint64_t{1} << (cache_->member_.holder.slot % 64));
  return progress();
}

}   // namespace proxyd::cache
