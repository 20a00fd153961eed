#include "shared/limits/client_rows.h"

namespace proxyd::limits {
namespace {

constexpr uint64_t kCountMask = 0xFFFF;

// Never 0, so that no client is nobody.
uint64_t name_of(uint64_t client) { return (client | uint64_t{1} << 63) & ~kCountMask; }

ClientSet& set_of(ClientRow& row, uint64_t client) { return row[client % kClientSets]; }

uint64_t count_in(const ClientSet& set, uint64_t name) {
  for (const auto& one : set.words) {
    const uint64_t word = one.load(std::memory_order_seq_cst);
    if ((word & ~kCountMask) == name) return word & kCountMask;
  }
  return 0;
}

// The client's own word, else one that nobody runs a request by.
std::atomic<uint64_t>* word_for(ClientSet& set, uint64_t name) {
  std::atomic<uint64_t>* free = nullptr;
  for (auto& one : set.words) {
    const uint64_t word = one.load(std::memory_order_relaxed);
    if ((word & ~kCountMask) == name) return &one;
    if ((word & kCountMask) == 0) free = &one;
  }
  return free;
}

}   // namespace

ClientRows::Entered ClientRows::enter(uint32_t slot, uint32_t slots, uint64_t client, uint64_t most) const {
  const uint64_t name = name_of(client);
  std::atomic<uint64_t>* const mine = word_for(set_of(rows_[slot], client), name);
  if (!mine) return {};
  const uint64_t was = mine->load(std::memory_order_relaxed);
  const uint64_t own = (was & ~kCountMask) == name ? was & kCountMask : 0;
  if (own == kCountMask) return {.admitted = false, .place = {}};
  // Shown before the others are looked at: whoever looks later sees it.
  mine->store(name | (own + 1), std::memory_order_seq_cst);
  if (running(slots, client) <= most) return {.admitted = true, .place = {mine}};
  mine->store(name | own, std::memory_order_relaxed);
  return {.admitted = false, .place = {}};
}

void ClientRows::leave(Place place) {
  if (place.word) place.word->store(place.word->load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);
}

uint64_t ClientRows::running(uint32_t slots, uint64_t client) const {
  const uint64_t name = name_of(client);
  uint64_t sum = 0;
  for (uint32_t slot = 0; slot < slots; ++slot) sum += count_in(set_of(rows_[slot], client), name);
  return sum;
}

void ClientRows::clear(uint32_t slot) const {
  for (ClientSet& set : rows_[slot]) {
    for (auto& word : set.words) word.store(0, std::memory_order_relaxed);
  }
}

}   // namespace proxyd::limits
