#pragma once

#include <unistd.h>

#include <array>
#include <atomic>
#include <cmath>
#include <string>

#include "shared/cache/cache.h"
#include "tests/support/cache_load.h"

// A load whose hit ratio can be compared: each request follows from the seed and its number alone, whoever makes it and
// when, and is made until it is answered. What differs between two runs is then what the cache has kept.
namespace proxyd::cache {

inline constexpr uint32_t kRatioKeys = 40'000;

struct RatioBoard {
  std::atomic<uint64_t> next;                               // request to be made, from 1
  std::atomic<uint64_t> most;                               // that may be made now
  std::array<std::atomic<uint64_t>, kMostWorkers> making;   // by whom lives or lived in this slot; 0: none
  std::array<std::atomic<uint64_t>, kMostWorkers> hits;
  uint64_t requests = 0;
  uint64_t seed = 0;
};

// One worker process's part. One that comes after a death makes the request that the dead one had begun.
class RatioLoad {
 public:
  RatioLoad(const RegionView& view, RatioBoard& board, uint32_t slot, uint64_t incarnation)
      : cache_(view, slot, incarnation), board_(board), making_(board.making[slot]), hits_(board.hits[slot]) {}

  void run() {
    for (;;) {
      if (making_.load() == 0) making_.store(board_.next.fetch_add(1));
      const uint64_t number = making_.load();
      if (number > board_.requests) return;
      while (number > board_.most.load()) ::usleep(50);
      const uint64_t hit = request(popular(number)) ? 1 : 0;
      hits_.store(hits_.load() + hit);
      making_.store(0);
      cache_.tend(now_ms());
      cache_.take_mail();
    }
  }

 private:
  static std::string key_of(uint32_t number) { return "https://www.example.org/path/to/" + std::to_string(number); }
  uint32_t popular(uint64_t number) const {   // most requests for few keys
    const double u = static_cast<double>(mixed(number) >> 11) / 9007199254740992.0;
    return static_cast<uint32_t>(std::pow(static_cast<double>(kRatioKeys), u)) - 1;
  }
  uint64_t mixed(uint64_t number) const {
    const uint64_t word = word_of(board_.seed, number);
    return word_of(word, word >> 17);
  }
  uint64_t size_of(uint32_t key) const {
    const uint64_t word = mixed(uint64_t{key} << 40);
    return (word >> 8) % (word % 10 < 6 ? 4000 : 12'000);
  }

  // Whether it was answered without a fetch of its own.
  bool request(uint32_t key) {
    const uint64_t sequence = cache_.published();
    const std::string text = key_of(key);
    const Lookup found = cache_.find(text, sequence, now_ms());
    if (found.response && found.response.state() == State::complete) return true;
    FillLock lock = cache_.begin_fill(text, sequence, now_ms());
    if (lock.outcome == FillLock::Outcome::found) return true;
    if (lock.outcome == FillLock::Outcome::follow) return follow(lock.response, key);
    if (lock.filler) fill(lock.filler, key);
    return false;
  }

  bool follow(StoredResponse& response, uint32_t key) {
    for (;;) {
      const Progress progress = response.arm();
      if (progress.orphaned) {
        if (Filler filler = cache_.take_over(response)) {
          fill(filler, key);
          return false;
        }
      }
      if (progress.state == State::complete) return true;
      if (progress.state != State::opening && progress.state != State::filling) return false;
      ::usleep(50);
    }
  }

  void fill(Filler& filler, uint32_t key) {
    const uint64_t size = size_of(key);
    if (!filler.response().has_head()) {
      const Head head{.section = "Server: example\r\n", .length = size};
      if (filler.set_head(head) != Written::ok) return;
    }
    for (uint64_t offset = filler.response().filled(); offset < size;) {
      std::span<char> room = filler.reserve();
      if (room.empty()) return;
      room = room.first(std::min({room.size(), size_t{16'384}, size_t{size - offset}}));
      write_content(key, offset, room);
      filler.commit(room.size());
      offset += room.size();
      cache_.take_wakes();
    }
    filler.complete();
  }

  Cache cache_;
  RatioBoard& board_;
  std::atomic<uint64_t>& making_;
  std::atomic<uint64_t>& hits_;
};

}   // namespace proxyd::cache
