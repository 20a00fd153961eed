#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "load.h"
#include "shared/cache/eviction.h"

namespace proxyd::bench {

// Percent of the requests that hit, and of their octets.
struct Ratio {
  double requests;
  double octets;
};

// What is held is known by key; `request` is one of a key with its size, and whether it hit. A miss is stored if the
// cache will have it.

// The least recently used leaves: a reference.
class LruCache {
 public:
  LruCache(uint64_t capacity, uint32_t keys);
  bool request(uint32_t key, uint64_t size);

 private:
  struct Entry {
    uint32_t older;
    uint32_t newer;
    uint64_t size;   // 0: not held
  };
  void link(uint32_t key);
  void unlink(uint32_t key);
  uint64_t capacity_;
  uint64_t held_ = 0;
  uint32_t ring_;   // the entry that is no key's: its newer is the oldest, its older the newest
  std::vector<Entry> entries_;
};

// Three queues: what was used twice in small goes to main, what has a ghost returns to main. The other reference.
class S3FifoCache {
 public:
  S3FifoCache(uint64_t capacity, uint32_t keys) : capacity_(capacity), entries_(keys) {}
  bool request(uint32_t key, uint64_t size);

 private:
  struct Entry {
    uint64_t size = 0;   // 0: not held
    uint64_t left = 0;   // its ghost's number, 0 when it has none
    uint8_t uses = 0;
  };
  void evict();
  bool evict_from_small();
  void evict_from_main();
  uint64_t capacity_;
  std::vector<Entry> entries_;
  std::deque<uint32_t> small_;
  std::deque<uint32_t> main_;
  uint64_t small_held_ = 0;
  uint64_t main_held_ = 0;
  uint64_t ghosts_ = 0;
};

// The production class, driven as the cache drives it: capacity and rows split over shards by the key's hash.
class TinyUfoCache {
 public:
  TinyUfoCache(uint64_t capacity, uint32_t keys, uint32_t rows, uint32_t shards);
  bool request(uint32_t key, uint64_t size);

 private:
  struct Shard {
    Shard(uint64_t capacity, uint32_t rows);
    cache::EvictionState state{};
    std::vector<cache::EvictionEntry> entries;
    std::vector<uint64_t> ghosts;
    std::vector<std::atomic<uint64_t>> frequencies;
    std::vector<uint32_t> key_of;
    std::vector<uint32_t> free;
    cache::Eviction eviction;
  };
  void store(Shard& shard, uint32_t key, uint64_t hash, uint64_t size);
  std::vector<uint32_t> row_of_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

template <typename Cache>
Ratio replay(const Load& load, Cache cache) {
  double hits = 0;
  double octets_hit = 0;
  double octets = 0;
  for (const Request& request : load.requests) {
    octets += static_cast<double>(request.size);
    if (!cache.request(request.key, request.size)) continue;
    octets_hit += static_cast<double>(request.size);
    ++hits;
  }
  return {100 * hits / static_cast<double>(load.requests.size()), 100 * octets_hit / octets};
}

}   // namespace proxyd::bench
