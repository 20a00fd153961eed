#include "shared/metrics/metrics_region.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace proxyd::metrics {
namespace {

constexpr uint32_t kMostSeries = 16384;
constexpr uint32_t kRows = 32768;
constexpr uint32_t kPlaces = 2 * kMostSeries;   // of the index, a power of two: at most half are taken
constexpr uint32_t kSlots = kWorkerSlots + 1;
constexpr size_t kNameSize = 64;
constexpr size_t kLabelsSize = 180;
constexpr std::string_view kOverflow = "proxyd_metrics_overflow_total";

struct Entry {
  char name[kNameSize];
  char labels[kLabelsSize];
  uint32_t kind;
  uint32_t row;
  uint32_t unused;
};
static_assert(sizeof(Entry) == 256);

struct Layout {
  std::atomic<uint32_t> series;   // entries below it are whole and never change
  std::atomic<uint32_t> rows;
  std::atomic<uint32_t> full;             // 1: a series found no room
  std::atomic<uint32_t> index[kPlaces];   // by hash, then the next free place: 1 + the entry; 0: free
  alignas(64) Entry entries[kMostSeries];
  alignas(64) std::atomic<uint64_t> cells[kSlots][kRows];
};

constexpr uint64_t kLayoutHash = 0x6d657472'00000001 ^ (uint64_t{sizeof(Layout)} << 8);

Layout& layout(const memory::Region& region) { return *reinterpret_cast<Layout*>(region.data()); }

// FNV-1a. The names are the configuration's, not a client's.
uint32_t place_of(std::string_view name, std::string_view labels) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  mix(name);
  mix(labels);
  return static_cast<uint32_t>(hash ^ hash >> 32) % kPlaces;
}

uint32_t rows_of(Kind kind) { return kind == Kind::kHistogram ? kHistogramCells : 1; }

bool is(const Entry& entry, std::string_view name, std::string_view labels) {
  return std::string_view(entry.name) == name && std::string_view(entry.labels) == labels;
}

constexpr auto kHistogramMicroseconds = [] {
  std::array<uint64_t, std::size(kHistogramBounds)> bounds{};
  for (size_t i = 0; i < bounds.size(); ++i) bounds[i] = static_cast<uint64_t>(kHistogramBounds[i] * 1e6 + 0.5);
  return bounds;
}();

}   // namespace

void Histogram::observe_microseconds(uint64_t value) const {
  size_t bucket = 0;   // most are in one of the first
  while (bucket < kHistogramMicroseconds.size() && value > kHistogramMicroseconds[bucket]) ++bucket;
  Cell(first_ + bucket).add();
  Cell(first_ + kHistogramCells - 1).add(value);
}

Result<MetricsRegion> MetricsRegion::create() {
  auto region = memory::Region::create("metrics", kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  MetricsRegion metrics(std::move(*region));
  metrics.add(kOverflow, "", Kind::kCounter);
  return metrics;
}

Result<MetricsRegion> MetricsRegion::adopt(UniqueFd descriptor) {
  auto region = memory::Region::adopt(std::move(descriptor), "metrics", kLayoutHash, sizeof(Layout));
  if (!region) return region.error();
  return MetricsRegion(std::move(*region));
}

std::optional<uint32_t> MetricsRegion::find(std::string_view name, std::string_view labels) const {
  const Layout& shared = layout(region_);
  for (uint32_t place = place_of(name, labels);; place = (place + 1) % kPlaces) {
    const uint32_t taken = shared.index[place].load(std::memory_order_acquire);
    if (taken == 0) return std::nullopt;
    const Entry& entry = shared.entries[taken - 1];
    if (is(entry, name, labels)) return entry.row;
  }
}

uint32_t MetricsRegion::add(std::string_view name, std::string_view labels, Kind kind) {
  if (const auto row = find(name, labels)) return *row;
  Layout& shared = layout(region_);
  const uint32_t index = shared.series.load(std::memory_order_relaxed);
  const uint32_t row = shared.rows.load(std::memory_order_relaxed);
  const bool fits = index < kMostSeries && row + rows_of(kind) <= kRows - kHistogramCells && name.size() < kNameSize &&
                    labels.size() < kLabelsSize;
  if (!fits) {
    shared.full.store(1, std::memory_order_relaxed);
    return 0;   // the overflow row
  }
  Entry& entry = shared.entries[index];
  std::memset(&entry, 0, sizeof entry);
  name.copy(entry.name, kNameSize - 1);
  labels.copy(entry.labels, kLabelsSize - 1);
  entry.kind = static_cast<uint32_t>(kind);
  entry.row = row;
  shared.rows.store(row + rows_of(kind), std::memory_order_relaxed);
  shared.series.store(index + 1, std::memory_order_release);
  uint32_t place = place_of(name, labels);
  while (shared.index[place].load(std::memory_order_relaxed) != 0) place = (place + 1) % kPlaces;
  shared.index[place].store(index + 1, std::memory_order_release);
  return row;
}

bool MetricsRegion::full() const { return layout(region_).full.load(std::memory_order_relaxed) != 0; }

std::vector<Series> MetricsRegion::series() const {
  const Layout& shared = layout(region_);
  const uint32_t count = shared.series.load(std::memory_order_acquire);
  std::vector<Series> all;
  all.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const Entry& entry = shared.entries[i];
    all.push_back({entry.name, entry.labels, static_cast<Kind>(entry.kind), entry.row});
  }
  return all;
}

Cell MetricsRegion::cell(uint32_t slot, std::string_view name, std::string_view labels) const {
  const auto row = find(name, labels);
  Cell found(&layout(region_).cells[slot][row.value_or(0)]);
  if (!row) found.add();
  return found;
}

// A histogram without room counts into the last rows of the table, which no series has.
Histogram MetricsRegion::histogram(uint32_t slot, std::string_view name, std::string_view labels) const {
  const auto row = find(name, labels);
  if (!row) Cell(&layout(region_).cells[slot][0]).add();
  return Histogram(&layout(region_).cells[slot][row.value_or(kRows - kHistogramCells)]);
}

uint64_t MetricsRegion::sum(uint32_t row) const {
  const Layout& shared = layout(region_);
  uint64_t total = 0;
  for (uint32_t slot = 0; slot < kSlots; ++slot) total += shared.cells[slot][row].load(std::memory_order_relaxed);
  return total;
}

uint64_t MetricsRegion::value(uint32_t slot, uint32_t row) const {
  return layout(region_).cells[slot][row].load(std::memory_order_relaxed);
}

void MetricsRegion::zero_gauges(uint32_t slot) {
  for (const Series& one : series()) {
    if (one.kind == Kind::kGauge) layout(region_).cells[slot][one.row].store(0, std::memory_order_relaxed);
  }
}

}   // namespace proxyd::metrics
