#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shared/memory/worker_slots.h"

namespace proxyd::limits {

inline constexpr size_t kClientWays = 8;
inline constexpr size_t kClientSets = 1024;

// One worker's requests at once, by client. A word is {the client's hash, 48 bits; requests, 16}; 0: nobody's.
struct alignas(64) ClientSet {
  std::array<std::atomic<uint64_t>, kClientWays> words;
};
using ClientRow = std::array<ClientSet, kClientSets>;

// Requests at once of each client, in all workers: a row for each worker slot, which that worker alone writes with
// plain stores; readers sum. So no count is wrong after a SIGKILL: the master zeroes a dead worker's row. A worker
// counts 8192 clients at once at most, fewer where chance heaps them; one that finds no cell is not counted, and let
// in. Owned by the region; any process. Nothing blocks, fails or allocates.
class ClientRows {
 public:
  explicit ClientRows(ClientRow* rows) : rows_(rows) {}

  // Where a request is counted. A value that its worker gives back with `leave`, once.
  struct Place {
    std::atomic<uint64_t>* word = nullptr;   // null: it is not counted
  };
  struct Entered {
    bool admitted = true;
    Place place;
  };
  // One more request of `client` (a keyed hash) in the worker of `slot`, unless `most` of it run in the first `slots`
  // slots. Never more of those that are counted: of two that come at the same instant in two workers both may be
  // refused the last place.
  Entered enter(uint32_t slot, uint32_t slots, uint64_t client, uint64_t most) const;
  static void leave(Place place);

  uint64_t running(uint32_t slots, uint64_t client) const;
  void clear(uint32_t slot) const;   // master, after the worker was reaped

 private:
  ClientRow* rows_;
};

}   // namespace proxyd::limits
