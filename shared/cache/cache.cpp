#include "shared/cache/cache.h"

#include <algorithm>
#include <utility>

#include "shared/cache/extents.h"
#include "shared/cache/head_block.h"
#include "shared/cache/key.h"
#include "shared/cache/step.h"

namespace proxyd::cache {
namespace {

constexpr size_t kLargestKey = 16u << 10;

}   // namespace

Cache::Cache(const RegionView& view, uint32_t slot, uint64_t incarnation)
    : member_{.view = view, .holder = Holder{incarnation, slot}},
      stamps_(view),
      bans_(view),
      pins_(member_),
      pool_(member_),
      shards_(member_, pool_),
      wakes_(member_) {
  member_.slot().incarnation.store(incarnation);
}

Lookup Cache::find(std::string_view key, uint64_t sequence, int64_t now) {
  const KeyHash hash = hash_key(member_.view.superblock().key_secret, key);
  const IndexPlace place = IndexPlace::of(member_.view.geometry(), hash);
  __builtin_prefetch(member_.view.group(place.shard, place.group) + place.home);
  Eviction& eviction = shards_.eviction(place.shard);
  eviction.note_request(hash.low);
  pins_full_ = false;
  Lookup lookup;
  shards_.index().candidates(place, [&](ObjectIndex index) {
    lookup.response = pin(index, hash, key);
    return static_cast<bool>(lookup.response) || pins_full_;
  });
  if (!lookup.response) {
    if (pins_full_) {
      count(member_.tally().pins_full);
      lookup.outcome = Lookup::Outcome::unpinnable;
    }
    return lookup;
  }
  if (lookup.response.state() == State::pass) {
    if (now < lookup.response.keep_until()) {
      lookup.outcome = Lookup::Outcome::pass;
    } else {
      lookup.response = {};   // it is over: as if there were none
    }
    return lookup;
  }
  eviction.hit(lookup.response.index() % member_.view.geometry().shard_objects);
  lookup.outcome = Lookup::Outcome::found;
  lookup.purged = lookup.response.purged(sequence);
  return lookup;
}

// Pin first, then look: what was seen of the object before the pin is worth nothing after it. Also an entry that others
// have for whichever head is from now on for this one, or one of them would move it to another.
StoredResponse Cache::pin(ObjectIndex index, const KeyHash& hash, std::string_view key) {
  const Object& object = member_.view.object(index);
  __builtin_prefetch(&object.filled);
  const State before = Life::of(object.life.load(std::memory_order_relaxed)).state;
  const bool has_head = before == State::complete || before == State::filling;
  uint32_t entry = pins_.again(index, has_head ? object.head.load() : 0);
  if (entry == Pins::kNone) entry = pins_.pin(index);
  if (entry == Pins::kNone) {
    pins_full_ = true;
    return {};
  }
  const Life life = Life::of(object.life.load());
  if (!life.live() || object.hash != hash) {
    pins_.unpin(entry);
    return {};
  }
  const bool settled = life.state == State::complete || life.state == State::filling;
  const BlockRef held = pins_.head(entry);
  const BlockRef head = held != 0 ? held : object.head.load();
  if (member_.view.head(head)->key() != key) {
    pins_.unpin(entry);
    return {};
  }
  if (settled && held == 0) pins_.narrow(entry, head);
  return StoredResponse(this, index, entry, settled ? member_.view.head(head) : nullptr);
}

// Under the shard's lock, of an object in the index: it cannot die meanwhile.
StoredResponse Cache::pin_living(ObjectIndex index) {
  uint32_t entry = pins_.again(index, 0);
  if (entry == Pins::kNone) entry = pins_.pin(index);
  if (entry == Pins::kNone) return {};
  return StoredResponse(this, index, entry, nullptr);
}

FillLock Cache::begin_fill(std::string_view key, uint64_t sequence, int64_t now, const StoredResponse* instead_of) {
  FillLock result;
  if (key.size() > kLargestKey) {
    result.outcome = FillLock::Outcome::no_room;
    return result;
  }
  const KeyHash hash = hash_key(member_.view.superblock().key_secret, key);
  const IndexPlace place = IndexPlace::of(member_.view.geometry(), hash);
  bool looked = false;
  for (uint32_t attempt = 0;;) {
    result = open_fill(place, hash, key, sequence, now, instead_of);
    const bool is_there = result.outcome == FillLock::Outcome::found || result.outcome == FillLock::Outcome::follow;
    // Once looked at, which takes no lock, it is known to be banned.
    if (is_there && !std::exchange(looked, true) && result.response.purged(sequence) != Purged::no) continue;
    if (result.outcome != FillLock::Outcome::no_room) return result;
    if (!(rows_full_ ? make_row(place.shard, attempt) : make_room(place.shard, attempt))) return result;
    ++attempt;
  }
}

FillLock Cache::open_fill(const IndexPlace& place, const KeyHash& hash, std::string_view key, uint64_t sequence,
                          int64_t now, const StoredResponse* instead_of) {
  FillLock result;
  Shards::Lock lock(shards_, place.shard);
  if (!lock) return result;
  const ObjectIndex old = shards_.find(place, hash, key);
  if (old != kNoObject && !replaceable(old, sequence, now, instead_of)) {
    const State state = Life::of(member_.view.object(old).life.load()).state;
    result.response = pin_living(old);
    if (!result.response) return result;
    result.outcome = state == State::pass       ? FillLock::Outcome::pass
                     : state == State::complete ? FillLock::Outcome::found
                                                : FillLock::Outcome::follow;
    return result;
  }
  lock.change();
  result.filler = make(place, hash, key, sequence, old);
  // What no room that is made would help.
  const bool hindered = !result.filler && !rows_full_ && (pins_.in_use() == kPins || pool_.hindered());
  result.outcome = result.filler ? FillLock::Outcome::filler
                   : hindered    ? FillLock::Outcome::busy
                                 : FillLock::Outcome::no_room;
  return result;
}

// What the purges say that it was not compared with yet. The bans first: one that gives way is stamps by then.
Purged Cache::newest_purge(const HeadBlock& head) {
  const uint64_t published = this->published();
  const uint64_t checked = head.checked.load(std::memory_order_relaxed);
  const uint64_t seen = std::max(checked, head.bans_seen.load(std::memory_order_acquire));
  Purged banned{static_cast<uint8_t>(head.banned.load(std::memory_order_relaxed))};
  if (banned != Purged::hard && seen < published) {
    const Purged found = bans_.newest(head.key(), head.stamps(), seen);
    uint16_t known = static_cast<uint16_t>(banned);
    while (known < static_cast<uint16_t>(found) &&
           !head.banned.compare_exchange_weak(known, static_cast<uint16_t>(found), std::memory_order_relaxed)) {
    }
    head.bans_seen.store(published, std::memory_order_release);   // whoever sees this sees what was found
    banned = std::max(banned, found);
  }
  return std::max(banned, stamps_.newest(head.stamps(), checked));
}

// Under the shard's lock, so that the head stays. Expressions are not looked at here: of bans it knows what was found.
bool Cache::replaceable(ObjectIndex index, uint64_t sequence, int64_t now, const StoredResponse* instead_of) const {
  const Object& object = member_.view.object(index);
  const Life life = Life::of(object.life.load());
  const HeadBlock* head = member_.view.head_of(object);
  const bool same = instead_of != nullptr && instead_of->index() == index &&
                    (instead_of->head_ == nullptr || instead_of->head_ == head);
  if (life.state == State::aborted) return true;
  if (life.state == State::opening) return false;
  if (life.state == State::pass) return same || now >= object.keep_until.load(std::memory_order_relaxed);
  Purged purged = Purged::no;
  if (head->sequence < sequence) {
    const Purged banned{static_cast<uint8_t>(head->banned.load(std::memory_order_relaxed))};
    purged = std::max(banned, stamps_.newest(head->stamps(), head->checked.load(std::memory_order_relaxed)));
  }
  if (life.state == State::filling) return purged != Purged::no;
  return same || purged == Purged::hard;
}

// Under the shard's lock. Nothing of the new row is seen before it is linked.
Filler Cache::make(const IndexPlace& place, const KeyHash& hash, std::string_view key, uint64_t sequence,
                   ObjectIndex old) {
  const ObjectIndex index = shards_.take_row(place.shard);
  rows_full_ = index == kNoObject;
  if (rows_full_) return {};
  const uint32_t entry = pins_.pin(index);
  const Head none;
  const uint32_t size_class = ContentPool::class_for(HeadBlock::size_of(key, none));
  const BlockRef block = entry == Pins::kNone ? 0 : pool_.take(size_class, index, Wait::briefly);
  if (block == 0) {
    if (entry != Pins::kNone) pins_.unpin(entry);
    shards_.give_row_back(index);
    return {};
  }
  HeadBlock::write(member_.view.block(block), 0, key, none, sequence, false);
  shards_.open(index, hash, block);
  pool_.settle(block, index);
  step("make: settled");
  shards_.link(place, index, old);
  return Filler(StoredResponse(this, index, entry, nullptr));
}

Filler Cache::take_over(const StoredResponse& response) {
  Object& object = member_.view.object(response.index_);
  uint64_t holder = object.filler.load();
  const State state = response.state();
  if (Holder::of(holder).is_nobody() || member_.view.alive(holder) ||
      (state != State::opening && state != State::filling))
    return {};
  if (!object.filler.compare_exchange_strong(holder, member_.holder.word())) return {};
  step("take over: mine");
  count(member_.tally().taken_over);
  Filler filler(response.share());
  filler.resume();
  return filler;
}

bool Cache::drop(std::string_view key) {
  const KeyHash hash = hash_key(member_.view.superblock().key_secret, key);
  const IndexPlace place = IndexPlace::of(member_.view.geometry(), hash);
  Shards::Lock lock(shards_, place.shard);
  if (!lock) return false;
  const ObjectIndex index = shards_.find(place, hash, key);
  if (index == kNoObject) return true;
  lock.change();
  shards_.kill(index);
  count(member_.tally().purged);
  return true;
}

bool Cache::withdraw(const StoredResponse& response) {
  const ObjectIndex index = response.index_;
  Shards::Lock lock(shards_, member_.view.shard_of(index));
  if (!lock) return false;
  if (Life::of(member_.view.object(index).life.load()).dead) return true;
  lock.change();
  shards_.kill(index);
  return true;
}

Cache::Step Cache::walk(ObjectIndex cursor, uint32_t rows) {
  const Geometry& geometry = member_.view.geometry();
  Step step_on;
  for (uint32_t i = 0; i < rows && cursor < member_.view.object_count(); ++i, ++cursor) {
    const uint32_t shard = member_.view.shard_of(cursor);
    if (cursor % geometry.shard_objects >= member_.view.shard(shard).touched.load(std::memory_order_relaxed)) {
      cursor = (shard + 1) * geometry.shard_objects - 1;
      continue;
    }
    const Object& object = member_.view.object(cursor);
    if (!Life::of(object.life.load(std::memory_order_relaxed)).live()) continue;
    const uint32_t entry = pins_.pin(cursor);
    if (entry == Pins::kNone) break;
    if (Life::of(object.life.load()).live()) {
      step_on.response = StoredResponse(this, cursor++, entry, nullptr);
      break;
    }
    pins_.unpin(entry);
  }
  step_on.next = cursor < member_.view.object_count() ? cursor : 0;
  return step_on;
}

Accounts Cache::accounts() const { return accounts_of(member_.view); }

}   // namespace proxyd::cache
