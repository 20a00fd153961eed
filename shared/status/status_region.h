#pragma once

#include <atomic>
#include <cstdint>

#include "shared/base/result.h"
#include "shared/memory/region.h"
#include "shared/memory/worker_slots.h"
#include "shared/status/health_words.h"

namespace proxyd::status {

// Twice what a document may name, so that one that names all of them anew finds rows beside those still in use.
inline constexpr uint32_t kTargetRows = 2 * 4096 + 1;
inline constexpr uint32_t kUpstreamRows = 2 * 1024;

// What a worker says about itself, for `worker list` and the watchdog. Written by that worker alone (pid, incarnation:
// by the master at spawn; `called`: by other workers), read by anyone; words, plain stores.
struct alignas(128) WorkerSlot {
  std::atomic<uint64_t> incarnation;
  std::atomic<uint64_t> pid;
  std::atomic<uint64_t> heartbeat_ms;     // CLOCK_MONOTONIC at the last loop pass, at most a second old
  std::atomic<uint64_t> connections;      // downstream, open
  std::atomic<uint64_t> in_flight;        // requests
  std::atomic<uint64_t> revision;         // in force
  std::atomic<uint64_t> oldest_edition;   // still held by a request
  std::atomic<uint64_t> loop_lag_us;      // longest pass of the last second
  std::atomic<uint64_t> serving;          // 1: has a configuration and does not drain
  std::atomic<uint64_t> accepting;        // 1: its listening sockets are in its loop
  std::atomic<uint64_t> called;           // 1: another left the listening sockets, look at them; the worker clears it
  std::atomic<uint64_t> retries_running;
};

// The region where every worker sees the same numbers: gauges as [row][worker slot], each written by that worker alone;
// readers sum. Row numbers are the master's and travel in the snapshot. No count is wrong after a SIGKILL: the master
// zeroes the slots of a worker that it has reaped. Created by the master, mapped by all; lives as long as this value.
class StatusRegion {
 public:
  static Result<StatusRegion> create();
  static Result<StatusRegion> adopt(UniqueFd descriptor);

  int descriptor() const { return region_.descriptor(); }

  WorkerSlot& worker(uint32_t slot) const;
  // One more than the highest slot ever used: how far a sum must look.
  uint32_t slots_in_use() const;
  void note_slot(uint32_t slot);   // master, before the worker starts

  // 1: the master says that requests are welcome; for routes that answer as /readyz does.
  std::atomic<uint32_t>& ready() const;

  // Requests (and tunnels) now at a target, of one worker and of all.
  std::atomic<uint32_t>& in_flight(uint32_t slot, uint32_t target_row) const;
  uint32_t in_flight_sum(uint32_t target_row) const;
  // Connections now open to a target, the same way.
  std::atomic<uint32_t>& connections(uint32_t slot, uint32_t target_row) const;
  uint32_t connections_sum(uint32_t target_row) const;
  // Requests ever cut at a target by the worker in a slot, and by all; it only grows, over the deaths of workers.
  std::atomic<uint32_t>& cut(uint32_t slot, uint32_t target_row) const;
  uint32_t cut_sum(uint32_t target_row) const;
  // Requests ever sent to a target by all workers: the common turn of the weighted round robin.
  std::atomic<uint64_t>& turn(uint32_t upstream_row) const;
  // The health of a target's address, as all know it.
  HealthWords& health(uint32_t target_row) const;
  // Who may get an upstream's requests has changed since this was another number.
  std::atomic<uint64_t>& version(uint32_t upstream_row) const;
  // Requests that wait for room at an upstream, of one worker and of all.
  std::atomic<uint32_t>& waiting(uint32_t slot, uint32_t upstream_row) const;
  uint32_t waiting_sum(uint32_t upstream_row) const;
  // The word of ProberLease.
  std::atomic<uint64_t>& prober() const;
  // The common mean of open connections, for listeners: sum over serving workers and their number.
  uint64_t connections_of_all_workers() const;
  uint32_t running_workers() const;
  // How many of them accept right now.
  uint32_t accepting_workers() const;

  void clear_worker(uint32_t slot);   // master, after it was reaped

 private:
  explicit StatusRegion(memory::Region region) : region_(std::move(region)) {}
  memory::Region region_;
};

}   // namespace proxyd::status
