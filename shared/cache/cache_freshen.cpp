#include <algorithm>
#include <cstring>
#include <utility>

#include "shared/cache/cache.h"
#include "shared/cache/head_block.h"
#include "shared/cache/step.h"

// A stale object between the request that revalidates it and the answer: the claim, and a new head for an old content.
namespace proxyd::cache {

Revalidation::Revalidation(Revalidation&& other) noexcept
    : response_(std::move(other.response_)), before_(other.before_) {}

Revalidation& Revalidation::operator=(Revalidation&& other) noexcept {
  std::swap(response_, other.response_);
  std::swap(before_, other.before_);
  return *this;
}

Revalidation::~Revalidation() { end(ClaimEnd::open); }

void Revalidation::end(ClaimEnd how) {
  if (!response_) return;
  const bool again = before_ == ClaimEnd::once_in_vain || before_ == ClaimEnd::in_vain;
  if (how == ClaimEnd::in_vain && !again) how = ClaimEnd::once_in_vain;
  Cache& cache = *response_.cache_;
  Object& object = cache.member_.view.object(response_.index_);
  object.filler.store(Holder::nobody(how).word());
  step("revalidation: released");
  cache.wakes_.wake(object, response_.index_);
  response_ = {};
}

Revalidation Cache::begin_revalidation(const StoredResponse& response) {
  Object& object = member_.view.object(response.index_);
  uint64_t holder = object.filler.load();
  if (response.state() != State::complete || member_.view.alive(holder)) return {};
  if (!object.filler.compare_exchange_strong(holder, member_.holder.word())) return {};
  step("revalidation: mine");
  return Revalidation(response.share(), Holder::of(holder).end());
}

Written Cache::freshen(const StoredResponse& response, const Head& head, uint64_t sequence) {
  Object& object = member_.view.object(response.index_);
  const HeadBlock* old = response.head();
  const std::string_view key = old->key();
  const size_t size = HeadBlock::size_of(key, head);
  const size_t room = std::min<uint64_t>(old->room, response.filled());
  const bool usable = response.has_head() && response.state() == State::complete && newest_purge(*old) != Purged::hard;
  if (!usable) return Written::superseded;
  if (size + room > kLargestHead || head.stamps.size() > kMostStamps) return Written::no_room;
  const uint32_t shard = member_.view.shard_of(response.index_);
  if (object.retired[kRetiredHeads - 1].load(std::memory_order_relaxed) != 0) shards_.free_old_heads(response.index_);
  const uint32_t size_class = ContentPool::class_for(size + room);
  BlockRef block = pool_.take(size_class, response.index_);
  for (uint32_t attempt = 0; block == 0 && make_room(shard, attempt); ++attempt) {
    block = pool_.take(size_class, response.index_);
  }
  if (block == 0) return pool_.hindered() ? Written::busy : Written::no_room;
  HeadBlock* fresh = HeadBlock::write(member_.view.block(block), room, key, head, sequence, true);
  std::memcpy(fresh->content(), old->content(), room);
  step("freshen: written");
  Written outcome = Written::busy;
  {
    Shards::Lock lock(shards_, shard);
    if (lock) {
      const bool same = member_.view.head_of(object) == old;
      lock.change();
      const bool replaced = same && Life::of(object.life.load()).live() && shards_.replace_head(response.index_, block);
      if (replaced) object.keep_until.store(head.keep_until, std::memory_order_relaxed);
      uint64_t ended = object.filler.load();   // in vain, maybe; this was not
      if (replaced && Holder::of(ended).is_nobody()) object.filler.compare_exchange_strong(ended, 0);
      outcome = replaced ? Written::ok : Written::superseded;
    }
  }
  if (outcome != Written::ok) {
    pool_.free(block, response.index_);
    return outcome;
  }
  step("freshen: done");
  wakes_.wake(object, response.index_);
  return Written::ok;
}

}   // namespace proxyd::cache
