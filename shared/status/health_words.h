#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace proxyd::status {

inline constexpr size_t kResultsKept = 64;
inline constexpr size_t kTransitionsKept = 16;

// What all workers know of the health of one address of a target. Each word changes as a whole, by compare-and-swap or
// a single store, so that a process may die between any two instructions and leave nothing half said. `TargetHealth`
// reads and writes them.
struct alignas(64) HealthWords {
  std::atomic<uint64_t> check;            // verdict, how many in a row, since when
  std::atomic<uint64_t> circuit;          // state, how often it was ejected, until when
  std::atomic<uint64_t> failures;         // of requests in a row, since when
  std::atomic<uint64_t> failed_ms;        // when a request failed last
  std::atomic<uint64_t> traffic;          // which window, requests in it, failed ones
  std::atomic<uint64_t> checked_ms;       // when the last check began
  std::atomic<uint64_t> ready_since_ms;   // when it joined or came back; 0: it was there from the start
  std::atomic<uint64_t> results_noted;    // how many ever; the next one's place is that modulo kResultsKept
  std::atomic<uint64_t> transitions_noted;
  std::array<std::atomic<uint64_t>, kResultsKept> results;
  std::array<std::atomic<uint64_t>, kTransitionsKept> transitions;
};

}   // namespace proxyd::status
