#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <string_view>

#include "shared/cache/cache.h"

// A mixed load on the shared cache by workers that compare all they read with what must have been stored: for the test
// that runs them as threads, and the campaign that kills them as processes.
namespace proxyd::cache {

inline constexpr uint32_t kKeys = 6000;
inline constexpr uint32_t kTags = 16;
inline constexpr uint32_t kMostWorkers = 16;

// What the processes tell each other beside the cache.
struct alignas(64) Counts {
  std::atomic<uint64_t> requests, hits, follows, fills, taken_over, freshened, wrong_octets, outrun, slowest_us;
};
struct Board {
  std::atomic<bool> stop;
  std::atomic<bool> undisturbed;
  std::array<std::atomic<uint64_t>, kTags> purged;   // sequence of the last hard purge that was answered
  std::array<Counts, kMostWorkers> counts;
};

inline int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What is stored with a response; its content follows from the seed.
struct Meta {
  uint32_t key;
  uint32_t tag;
  uint64_t seed;
  uint64_t size;
  uint64_t sequence;   // published when its request began
};

inline uint64_t word_of(uint64_t seed, uint64_t number) {
  uint64_t word = (seed + number) * 0x9e37'79b9'7f4a'7c15;
  return word ^ (word >> 29);
}

inline void write_content(uint64_t seed, uint64_t offset, std::span<char> place) {
  for (size_t i = 0; i < place.size();) {
    const uint64_t word = word_of(seed, (offset + i) / 8);
    const size_t from = (offset + i) % 8;
    const size_t count = std::min(8 - from, place.size() - i);
    std::memcpy(place.data() + i, reinterpret_cast<const char*>(&word) + from, count);
    i += count;
  }
}

inline bool is_content(uint64_t seed, uint64_t offset, std::string_view text) {
  std::array<char, 4096> expected;
  for (size_t at = 0; at < text.size(); at += expected.size()) {
    const std::span<char> part(expected.data(), std::min(expected.size(), text.size() - at));
    write_content(seed, offset + at, part);
    if (std::memcmp(part.data(), text.data() + at, part.size()) != 0) return false;
  }
  return true;
}

// One worker process's load.
class Load {
 public:
  Load(const RegionView& view, Board& board, uint32_t slot, uint64_t incarnation, uint64_t seed)
      : cache_(view, slot, incarnation), board_(board), counts_(board.counts[slot]), random_(seed) {}

  void run() {
    while (!board_.stop.load(std::memory_order_relaxed)) {
      const auto before = std::chrono::steady_clock::now();
      const uint32_t what = below(1000);
      if (what < 3) {
        purge(below(kTags));
      } else if (what < 6) {
        cache_.drop(key_of(popular()));
      } else {
        request(popular(), what < 60);
      }
      cache_.tend(now_ms());
      cache_.take_mail();
      const auto took = std::chrono::steady_clock::now() - before;
      const auto us = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
      if (us > counts_.slowest_us.load(std::memory_order_relaxed)) counts_.slowest_us.store(us);
    }
  }

 private:
  static std::string key_of(uint32_t number) { return "https://www.example.org/path/to/" + std::to_string(number); }
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  uint32_t popular() {   // most requests for few keys
    const double u = static_cast<double>(random_() >> 11) / 9007199254740992.0;
    return static_cast<uint32_t>(std::pow(static_cast<double>(kKeys), u)) - 1;
  }
  uint64_t some_size() {
    const uint32_t kind = below(100);
    if (kind < 60) return below(4000);
    if (kind < 90) return below(40'000);
    if (kind < 99) return below(300'000);
    return below(2'500'000);
  }

  void purge(uint32_t tag) {
    const std::array stamps{stamp_of(tag)};
    const auto mode = below(4) == 0 ? PurgeMode::soft : PurgeMode::hard;
    const auto sequence = cache_.stamps().purge(stamps, mode);
    if (!sequence || mode == PurgeMode::soft) return;
    uint64_t last = board_.purged[tag].load();
    while (last < *sequence && !board_.purged[tag].compare_exchange_weak(last, *sequence)) {
    }
  }
  uint32_t stamp_of(uint32_t tag) { return cache_.stamps().stamp_of(StampKind::tag, std::to_string(tag)); }

  void request(uint32_t number, bool revalidates) {
    std::array<uint64_t, kTags> purged;
    for (uint32_t i = 0; i < kTags; ++i) purged[i] = board_.purged[i].load();
    const uint64_t sequence = cache_.published();
    const std::string key = key_of(number);
    Lookup found = cache_.find(key, sequence, now_ms());
    counts_.requests.fetch_add(1, std::memory_order_relaxed);
    if (found.outcome == Lookup::Outcome::pass || found.outcome == Lookup::Outcome::unpinnable) return;
    const bool complete = found.response && found.response.state() == State::complete;
    if (complete && found.purged != Purged::hard) {
      const Meta meta = meta_of(found.response);
      if (purged[meta.tag] > meta.sequence) counts_.outrun.fetch_add(1);
      counts_.hits.fetch_add(1, std::memory_order_relaxed);
      read(found.response, number);
      if (revalidates) freshen(found.response, sequence);
      return;
    }
    fetch(number, key, sequence);
  }

  Meta meta_of(const StoredResponse& response) {
    Meta meta{};
    if (response.metadata().size() == sizeof meta) std::memcpy(&meta, response.metadata().data(), sizeof meta);
    if (meta.tag >= kTags) counts_.wrong_octets.fetch_add(1);
    meta.tag %= kTags;
    return meta;
  }

  // All that is there, now and then slowly and twice.
  void read(const StoredResponse& response, uint32_t number) {
    const Meta meta = meta_of(response);
    const Progress progress = response.progress();
    if (meta.key != number) counts_.wrong_octets.fetch_add(1);
    if (progress.state == State::complete && progress.filled != meta.size) counts_.wrong_octets.fetch_add(1);
    for (uint32_t again = below(30) == 0 ? 2 : 1; again != 0; --again) {
      std::array<std::string_view, 8> ranges;
      uint64_t offset = 0;
      while (const size_t count = response.content(offset, ranges)) {
        for (size_t i = 0; i < count; ++i) {
          if (!is_content(meta.seed, offset, ranges[i])) counts_.wrong_octets.fetch_add(1);
          offset += ranges[i].size();
        }
      }
      if (offset < progress.filled) counts_.wrong_octets.fetch_add(1);
      if (again == 2) ::usleep(below(3000));
    }
  }

  void freshen(const StoredResponse& response, uint64_t sequence) {
    const Revalidation claim = cache_.begin_revalidation(response);
    if (!claim) return;
    Meta meta = meta_of(response);
    meta.sequence = sequence;
    const std::array stamps{stamp_of(meta.tag)};
    const Head head = head_of(meta, stamps);
    if (cache_.freshen(response, head, sequence) == Written::ok) counts_.freshened.fetch_add(1);
  }

  static Head head_of(const Meta& meta, std::span<const uint32_t> stamps) {
    return Head{.metadata = {reinterpret_cast<const char*>(&meta), sizeof meta},
                .section = "Server: example\r\n",
                .stamps = stamps,
                .length = meta.size};
  }

  void fetch(uint32_t number, std::string_view key, uint64_t sequence) {
    FillLock lock = cache_.begin_fill(key, sequence, now_ms());
    if (lock.outcome == FillLock::Outcome::follow) {
      follow(lock.response, number, sequence);
    } else if (lock.filler) {
      counts_.fills.fetch_add(1, std::memory_order_relaxed);
      fill(lock.filler, number);
    }
  }

  void follow(StoredResponse& response, uint32_t number, uint64_t sequence) {
    counts_.follows.fetch_add(1, std::memory_order_relaxed);
    for (const int64_t until = now_ms() + 2000; now_ms() < until && !board_.stop.load();) {
      const Progress progress = response.arm();
      if (progress.orphaned) {
        if (Filler filler = cache_.take_over(response)) {
          counts_.taken_over.fetch_add(1, std::memory_order_relaxed);
          fill(filler, number);
          return;
        }
      }
      const bool ended = progress.state != State::opening && progress.state != State::filling;
      if (ended && (progress.state != State::complete || response.purged(sequence) != Purged::no)) return;
      if (response.has_head()) read(response, number);
      if (ended) return;
      ::usleep(200);
    }
  }

  void fill(Filler& filler, uint32_t number) {
    Meta meta{number, below(kTags), random_(), some_size(), filler.sequence()};
    if (filler.response().has_head()) {
      meta = meta_of(filler.response());
    } else if (below(50) == 0) {
      filler.not_cacheable(now_ms() + 20);
      return;
    } else {
      const std::array stamps{stamp_of(meta.tag)};
      Head head = head_of(meta, stamps);
      if (below(4) == 0) head.length.reset();
      const Written written = filler.set_head(head);
      if (written != Written::ok) return;
    }
    const bool slow = below(20) == 0;
    for (uint64_t offset = filler.response().filled(); offset < meta.size;) {
      std::span<char> room = filler.reserve();
      if (room.empty()) return;
      room = room.first(std::min({room.size(), size_t{16'384}, size_t{meta.size - offset}}));
      write_content(meta.seed, offset, room);
      filler.commit(room.size());
      offset += room.size();
      cache_.take_wakes();
      if (slow) ::usleep(below(1000));
    }
    filler.complete();
  }

  Cache cache_;
  Board& board_;
  Counts& counts_;
  std::mt19937_64 random_;
};

}   // namespace proxyd::cache
