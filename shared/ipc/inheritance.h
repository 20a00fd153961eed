#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/result.h"
#include "shared/memory/worker_slots.h"

namespace proxyd::ipc {

// Everything a child of the master inherits, and nothing else: the spawn door closes every other descriptor. It
// travels as one argument, `--inherit=slot=0,incarnation=7,ceiling=4294967296,control=3,metrics=4,status=5,rejects=6,
// cache=7,tickets=8,limits=9,wakes=10`, whose numbers are the child's; those of the wakes are consecutive. A plain
// value: the master fills it in with its own descriptors, the worker's main gets its own of it. What is to be inherited
// besides is one more line of `descriptors`.
struct Inheritance {
  struct Inherited {
    std::string_view name;
    int descriptor = -1;
  };

  uint32_t slot = 0;          // the worker slot, 0–255
  uint64_t incarnation = 0;   // counts the starts of workers; no two that share a region have the same
  uint64_t ceiling = 0;       // of the cache, octets
  std::array<Inherited, 7> descriptors = {{
      {"control"},   // SOCK_SEQPACKET to the master
      {"metrics"},   // regions
      {"status"},
      {"rejects"},
      {"cache"},
      {"tickets"},
      {"limits"},
  }};
  std::array<int, kWorkerSlots> wakes{};   // eventfds by worker slot

  // By a name of the list.
  int& at(std::string_view name);
  // Each descriptor and the number that the child sees it by.
  std::vector<std::pair<int, int>> numbers() const;
  std::string encode() const;
  static Result<Inheritance> decode(std::string_view text);
};

}   // namespace proxyd::ipc
