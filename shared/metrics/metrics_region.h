#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/result.h"
#include "shared/memory/region.h"
#include "shared/memory/worker_slots.h"

namespace proxyd::metrics {

enum class Kind : uint32_t { kCounter = 1, kGauge = 2, kHistogram = 3 };

// A counter as one worker sees it: one word that this worker alone writes, with plain stores; readers sum over slots.
// Points into the region and lives no longer than it. Monotonic for counters, over the death of workers too: a worker
// counts on from what it finds. Gauges are zeroed by the master when a worker died.
class Cell {
 public:
  Cell() = default;
  explicit Cell(std::atomic<uint64_t>* word) : word_(word) {}
  void add(uint64_t n = 1) const {
    word_->store(word_->load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(uint64_t n = 1) const {
    word_->store(word_->load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  void set(uint64_t n) const { word_->store(n, std::memory_order_relaxed); }
  uint64_t value() const { return word_->load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t>* word_ = nullptr;
};

// Latency in fixed buckets (seconds: 0.0005 … 60, +Inf), as consecutive cells: one a bucket, then the sum in
// microseconds. The count is the sum of the buckets.
inline constexpr double kHistogramBounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                              0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
inline constexpr uint32_t kHistogramCells = 16 + 1 + 1;   // bounds, +Inf, sum

class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(std::atomic<uint64_t>* first) : first_(first) {}
  void observe_microseconds(uint64_t value) const;

 private:
  std::atomic<uint64_t>* first_ = nullptr;
};

// One line of the directory: a series and where its cells are.
struct Series {
  std::string name;     // "proxyd_http_requests_total"
  std::string labels;   // `host="www",route="all"`, escaped as Prometheus wants it; empty: none
  Kind kind = Kind::kCounter;
  uint32_t row = 0;
};

// The region that counts: a frozen, self-describing layout {name, labels, kind, row} that only grows, and a table of
// [worker slot][row]. The master creates it and adds series before it publishes a snapshot that needs them; workers
// look their rows up by name when they prepare it, and write their own slot only. The master's own slot is
// kMasterSlot. Bounded: 16,384 series, 32,768 rows; a series that finds no room is not added, which `full` says,
// and the row of "proxyd_metrics_overflow_total" counts instead, so that nothing fails for want of a counter.
class MetricsRegion {
 public:
  static constexpr uint32_t kMasterSlot = kWorkerSlots;

  static Result<MetricsRegion> create();
  static Result<MetricsRegion> adopt(UniqueFd descriptor);

  int descriptor() const { return region_.descriptor(); }

  // Master only, one thread at a time: the row of a series, made when it is new.
  uint32_t add(std::string_view name, std::string_view labels, Kind kind);
  std::optional<uint32_t> find(std::string_view name, std::string_view labels) const;
  std::vector<Series> series() const;
  // Since a series found no room.
  bool full() const;

  // A worker's own cells. When the series is not there: the overflow row, which counts the look-up too, so that a name
  // that nobody registered is seen at once.
  Cell cell(uint32_t slot, std::string_view name, std::string_view labels) const;
  Histogram histogram(uint32_t slot, std::string_view name, std::string_view labels) const;

  uint64_t sum(uint32_t row) const;   // over all slots
  uint64_t value(uint32_t slot, uint32_t row) const;
  void zero_gauges(uint32_t slot);   // master, for a dead worker

 private:
  explicit MetricsRegion(memory::Region region) : region_(std::move(region)) {}
  memory::Region region_;
};

}   // namespace proxyd::metrics
