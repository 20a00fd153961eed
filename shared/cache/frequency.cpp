#include "shared/cache/frequency.h"

#include <algorithm>

namespace proxyd::cache {
namespace {

constexpr size_t kLine = 8;              // words
constexpr size_t kObjectsOfALine = 8;    // 128 counters, four rows of 32: four of each row for an object
constexpr uint32_t kRows = 4;            // a row is two words, so a key's counters are in four words of one line
constexpr uint32_t kMostStripes = 256;   // a stripe of a sketch for a million objects is 32 KiB
constexpr uint64_t kHalves = 0x7777777777777777;

// Where a key's counter of one row stands: its word in the line, and its shift in the word.
struct Counter {
  uint32_t word;
  uint32_t shift;
};

Counter counter_of(uint64_t spread, uint32_t row) {
  const auto position = static_cast<uint32_t>(spread >> (44 + row * 5)) & 31;
  return {row * 2 + position / 16, position % 16 * 4};
}

uint64_t spread_of(uint32_t fingerprint) {
  const uint64_t product = (fingerprint | 1ULL << 32) * 0x9E3779B97F4A7C15;
  return (product ^ product >> 32) * 0xD6E8FEB86659FD93;
}

uint32_t value(uint64_t word, uint32_t shift) { return static_cast<uint32_t>(word >> shift) & Frequency::kMost; }

}   // namespace

uint32_t fingerprint_of(uint64_t hash) { return static_cast<uint32_t>((hash ^ hash >> 32) * 0x9FB21C651E98DF25 >> 32); }

size_t Frequency::words(uint32_t objects) {
  return kLine * std::max<size_t>(1, (objects + kObjectsOfALine - 1) / kObjectsOfALine);
}

// Only the lowest of the four is raised, so that what shares one counter with a popular key is not taken for it.
void Frequency::note(uint32_t fingerprint) {
  const auto line = words_.subspan(kLine * (fingerprint * lines() >> 32), kLine);
  const uint64_t spread = spread_of(fingerprint);
  const uint32_t lowest = estimate(fingerprint);
  if (lowest == kMost) return;   // the hot only read
  for (uint32_t row = 0; row < kRows; ++row) {
    const Counter at = counter_of(spread, row);
    const uint64_t word = line[at.word].load(std::memory_order_relaxed);
    if (value(word, at.shift) == lowest) line[at.word].store(word + (1ULL << at.shift), std::memory_order_relaxed);
  }
  age();
}

uint32_t Frequency::estimate(uint32_t fingerprint) const {
  const auto line = words_.subspan(kLine * (fingerprint * lines() >> 32), kLine);
  const uint64_t spread = spread_of(fingerprint);
  uint32_t lowest = kMost;
  for (uint32_t row = 0; row < kRows; ++row) {
    const Counter at = counter_of(spread, row);
    lowest = std::min(lowest, value(line[at.word].load(std::memory_order_relaxed), at.shift));
  }
  return lowest;
}

void Frequency::age() {
  uint32_t counted = state_.counted.fetch_add(1, std::memory_order_relaxed) + 1;
  if (counted < state_.stripe_after.load(std::memory_order_relaxed)) return;
  if (!state_.counted.compare_exchange_strong(counted, 0, std::memory_order_relaxed)) return;   // another's turn
  const uint64_t stripes = std::min<uint64_t>(kMostStripes, lines());
  const uint64_t stripe = state_.stripe.fetch_add(1, std::memory_order_relaxed) % stripes;
  const size_t first = kLine * (stripe * lines() / stripes);
  const size_t end = kLine * ((stripe + 1) * lines() / stripes);
  for (auto& word : words_.subspan(first, end - first))
    word.store(word.load(std::memory_order_relaxed) >> 1 & kHalves, std::memory_order_relaxed);
}

void Frequency::set_window(uint64_t raised) {
  const uint64_t stripes = std::min<uint64_t>(kMostStripes, lines());
  const uint64_t after = std::clamp<uint64_t>(raised / stripes, 1, UINT32_MAX);
  state_.stripe_after.store(static_cast<uint32_t>(after), std::memory_order_relaxed);
}

void Frequency::clear() {
  for (auto& word : words_) word.store(0, std::memory_order_relaxed);
  state_.counted.store(0, std::memory_order_relaxed);
  state_.stripe.store(0, std::memory_order_relaxed);
}

}   // namespace proxyd::cache
