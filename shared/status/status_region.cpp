#include "shared/status/status_region.h"

#include <algorithm>

namespace proxyd::status {
namespace {

struct Layout {
  std::atomic<uint32_t> slots_in_use;
  std::atomic<uint32_t> ready;
  WorkerSlot workers[kWorkerSlots];
  std::atomic<uint64_t> prober;
  std::atomic<uint64_t> turns[kUpstreamRows];
  std::atomic<uint64_t> versions[kUpstreamRows];
  // A worker's own words lie together, so that no two workers write one cache line.
  std::atomic<uint32_t> in_flight[kWorkerSlots][kTargetRows];
  std::atomic<uint32_t> connections[kWorkerSlots][kTargetRows];
  std::atomic<uint32_t> cut[kWorkerSlots][kTargetRows];
  std::atomic<uint32_t> waiting[kWorkerSlots][kUpstreamRows];
  HealthWords health[kTargetRows];
};

constexpr uint64_t kLayoutHash = 0x73746174'00000004 ^ (uint64_t{sizeof(Layout)} << 8);

Layout& layout(const memory::Region& region) { return *reinterpret_cast<Layout*>(region.data()); }

template <class Field>
uint64_t sum_over_serving(const StatusRegion& status, Field field) {
  uint64_t sum = 0;
  for (uint32_t slot = 0; slot < status.slots_in_use(); ++slot) {
    const WorkerSlot& worker = status.worker(slot);
    if (worker.serving.load(std::memory_order_relaxed) != 0) sum += field(worker);
  }
  return sum;
}

}   // namespace

Result<StatusRegion> StatusRegion::create() {
  auto region = memory::Region::create("status", kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  return StatusRegion(std::move(*region));
}

Result<StatusRegion> StatusRegion::adopt(UniqueFd descriptor) {
  auto region = memory::Region::adopt(std::move(descriptor), "status", kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  return StatusRegion(std::move(*region));
}

WorkerSlot& StatusRegion::worker(uint32_t slot) const { return layout(region_).workers[slot]; }

uint32_t StatusRegion::slots_in_use() const { return layout(region_).slots_in_use.load(std::memory_order_relaxed); }

void StatusRegion::note_slot(uint32_t slot) {
  layout(region_).slots_in_use.store(std::max(slots_in_use(), slot + 1), std::memory_order_relaxed);
}

std::atomic<uint32_t>& StatusRegion::ready() const { return layout(region_).ready; }

std::atomic<uint32_t>& StatusRegion::in_flight(uint32_t slot, uint32_t row) const {
  return layout(region_).in_flight[slot][row];
}

std::atomic<uint32_t>& StatusRegion::connections(uint32_t slot, uint32_t row) const {
  return layout(region_).connections[slot][row];
}

uint32_t StatusRegion::in_flight_sum(uint32_t row) const {
  uint32_t sum = 0;
  for (uint32_t slot = 0; slot < slots_in_use(); ++slot) sum += in_flight(slot, row).load(std::memory_order_relaxed);
  return sum;
}

uint32_t StatusRegion::connections_sum(uint32_t row) const {
  uint32_t sum = 0;
  for (uint32_t slot = 0; slot < slots_in_use(); ++slot) sum += connections(slot, row).load(std::memory_order_relaxed);
  return sum;
}

std::atomic<uint32_t>& StatusRegion::cut(uint32_t slot, uint32_t row) const { return layout(region_).cut[slot][row]; }

uint32_t StatusRegion::cut_sum(uint32_t row) const {
  uint32_t sum = 0;
  for (uint32_t slot = 0; slot < slots_in_use(); ++slot) sum += cut(slot, row).load(std::memory_order_relaxed);
  return sum;
}

std::atomic<uint64_t>& StatusRegion::turn(uint32_t upstream_row) const { return layout(region_).turns[upstream_row]; }

HealthWords& StatusRegion::health(uint32_t row) const { return layout(region_).health[row]; }

std::atomic<uint64_t>& StatusRegion::version(uint32_t upstream_row) const {
  return layout(region_).versions[upstream_row];
}

std::atomic<uint32_t>& StatusRegion::waiting(uint32_t slot, uint32_t upstream_row) const {
  return layout(region_).waiting[slot][upstream_row];
}

uint32_t StatusRegion::waiting_sum(uint32_t row) const {
  uint32_t sum = 0;
  for (uint32_t slot = 0; slot < slots_in_use(); ++slot) sum += waiting(slot, row).load(std::memory_order_relaxed);
  return sum;
}

std::atomic<uint64_t>& StatusRegion::prober() const { return layout(region_).prober; }

uint64_t StatusRegion::connections_of_all_workers() const {
  return sum_over_serving(*this,
                          [](const WorkerSlot& worker) { return worker.connections.load(std::memory_order_relaxed); });
}

uint32_t StatusRegion::running_workers() const {
  return static_cast<uint32_t>(sum_over_serving(*this, [](const WorkerSlot&) { return 1; }));
}

uint32_t StatusRegion::accepting_workers() const {
  return static_cast<uint32_t>(sum_over_serving(
      *this, [](const WorkerSlot& worker) { return worker.accepting.load(std::memory_order_relaxed); }));
}

void StatusRegion::clear_worker(uint32_t slot) {
  WorkerSlot& worker = layout(region_).workers[slot];
  for (auto* word : {&worker.pid, &worker.heartbeat_ms, &worker.connections, &worker.in_flight, &worker.revision,
                     &worker.oldest_edition, &worker.loop_lag_us, &worker.serving, &worker.accepting, &worker.called,
                     &worker.retries_running}) {
    word->store(0, std::memory_order_relaxed);
  }
  for (uint32_t row = 0; row < kTargetRows; ++row) {
    in_flight(slot, row).store(0, std::memory_order_relaxed);
    connections(slot, row).store(0, std::memory_order_relaxed);
  }
  for (uint32_t row = 0; row < kUpstreamRows; ++row) waiting(slot, row).store(0, std::memory_order_relaxed);
}

}   // namespace proxyd::status
