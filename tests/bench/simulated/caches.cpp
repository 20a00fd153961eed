#include "caches.h"

#include <algorithm>
#include <utility>

namespace proxyd::bench {
namespace {

uint64_t hash_of(uint32_t key) {
  uint64_t hash = key + 0x9E3779B97F4A7C15;
  hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ hash >> 27) * 0x94D049BB133111EB;
  return hash ^ hash >> 31;
}

}   // namespace

LruCache::LruCache(uint64_t capacity, uint32_t keys) : capacity_(capacity), ring_(keys), entries_(keys + 1UL) {
  entries_[ring_] = {ring_, ring_, 0};
}

void LruCache::link(uint32_t key) {
  entries_[key].newer = ring_;
  entries_[key].older = entries_[ring_].older;
  entries_[entries_[ring_].older].newer = key;
  entries_[ring_].older = key;
}

void LruCache::unlink(uint32_t key) {
  entries_[entries_[key].older].newer = entries_[key].newer;
  entries_[entries_[key].newer].older = entries_[key].older;
}

bool LruCache::request(uint32_t key, uint64_t size) {
  if (entries_[key].size != 0) {
    unlink(key);
    link(key);
    return true;
  }
  if (size > capacity_) return false;
  while (held_ + size > capacity_) {
    const uint32_t oldest = entries_[ring_].newer;
    unlink(oldest);
    held_ -= std::exchange(entries_[oldest].size, 0);
  }
  entries_[key].size = size;
  held_ += size;
  link(key);
  return false;
}

bool S3FifoCache::request(uint32_t key, uint64_t size) {
  Entry& entry = entries_[key];
  if (entry.size != 0) {
    entry.uses = static_cast<uint8_t>(std::min(3, entry.uses + 1));
    return true;
  }
  if (size > capacity_) return false;
  while (small_held_ + main_held_ + size > capacity_) evict();
  const bool ghost = entry.left != 0 && ghosts_ - entry.left < std::max<size_t>(1, main_.size());
  entry = {size, 0, 0};
  (ghost ? main_ : small_).push_back(key);
  (ghost ? main_held_ : small_held_) += size;
  return false;
}

void S3FifoCache::evict() {
  const bool from_small = small_held_ >= capacity_ / 10 || main_.empty();
  if (!from_small || !evict_from_small()) evict_from_main();
}

// False when all in it went to main.
bool S3FifoCache::evict_from_small() {
  while (!small_.empty()) {
    Entry& entry = entries_[small_.front()];
    small_held_ -= entry.size;
    const bool leaves = entry.uses <= 1;
    if (leaves) {
      entry = {0, ++ghosts_, 0};
    } else {
      entry.uses = 0;
      main_.push_back(small_.front());
      main_held_ += entry.size;
    }
    small_.pop_front();
    if (leaves) return true;
  }
  return false;
}

void S3FifoCache::evict_from_main() {
  while (entries_[main_.front()].uses > 0) {
    --entries_[main_.front()].uses;
    main_.push_back(main_.front());
    main_.pop_front();
  }
  main_held_ -= std::exchange(entries_[main_.front()].size, 0);
  main_.pop_front();
}

TinyUfoCache::Shard::Shard(uint64_t capacity, uint32_t rows)
    : entries(rows),
      ghosts(cache::Ghosts::words(rows)),
      frequencies(cache::Frequency::words(rows)),
      key_of(rows),
      eviction({&state, cache::EntryRows(entries.data(), sizeof(cache::EvictionEntry), rows), ghosts, frequencies}) {
  eviction.reset(capacity);
  for (uint32_t row = 0; row < rows; ++row) free.push_back(row);
}

TinyUfoCache::TinyUfoCache(uint64_t capacity, uint32_t keys, uint32_t rows, uint32_t shards)
    : row_of_(keys, cache::kNoEntry) {
  for (uint32_t shard = 0; shard < shards; ++shard)
    shards_.push_back(std::make_unique<Shard>(capacity / shards, std::max(1U, rows / shards)));
}

bool TinyUfoCache::request(uint32_t key, uint64_t size) {
  const uint64_t hash = hash_of(key);
  Shard& shard = *shards_[(hash >> 32) * shards_.size() >> 32];
  shard.eviction.note_request(hash);
  if (row_of_[key] != cache::kNoEntry) {
    shard.eviction.hit(row_of_[key]);
    return true;
  }
  store(shard, key, hash, size);
  return false;
}

void TinyUfoCache::store(Shard& shard, uint32_t key, uint64_t hash, uint64_t size) {
  const cache::Admission admission = shard.eviction.admit(hash, size, !shard.free.empty());
  if (admission.verdict != cache::Verdict::enters) return;
  while (!shard.eviction.fits(size) || shard.free.empty()) {
    const uint32_t victim = shard.eviction.victim().value();
    row_of_[shard.key_of[victim]] = cache::kNoEntry;
    shard.eviction.evict(victim);
    shard.free.push_back(victim);
  }
  const uint32_t row = shard.free.back();
  shard.free.pop_back();
  shard.key_of[row] = key;
  row_of_[key] = row;
  shard.eviction.insert(row, hash, size, admission.place);
}

}   // namespace proxyd::bench
