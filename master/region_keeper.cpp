#include "master/region_keeper.h"

#include <fmt/format.h>

#include <set>

#include "master/metric_series.h"

namespace proxyd::master {

Result<RegionKeeper> RegionKeeper::create() {
  auto metrics = metrics::MetricsRegion::create();
  if (!metrics) return metrics.error();
  auto status = status::StatusRegion::create();
  if (!status) return status.error();
  auto rejects = status::RejectRegion::create();
  if (!rejects) return rejects.error();
  register_series(*metrics, {});   // some are counted in before there is a document
  return RegionKeeper(std::move(*metrics), std::move(*status), std::move(*rejects));
}

// What a worker holds is at least the revision in force when its oldest request began; workers report it.
uint64_t RegionKeeper::oldest_revision_held() const {
  uint64_t oldest = UINT64_MAX;
  for (uint32_t slot = 0; slot < status_.slots_in_use(); ++slot) {
    const status::WorkerSlot& worker = status_.worker(slot);
    if (worker.pid.load(std::memory_order_relaxed) == 0) continue;
    oldest = std::min(oldest, worker.oldest_revision.load(std::memory_order_relaxed));
  }
  return oldest;
}

Result<uint32_t> RegionKeeper::row_for(Rows& rows, const std::string& name, uint64_t revision, uint32_t limit) {
  if (const auto known = rows.find(name); known != rows.end()) {
    known->second.last_revision = revision;
    return known->second.number;
  }
  if (rows.size() < limit) {
    const auto number = static_cast<uint32_t>(rows.size());
    rows[name] = {number, revision};
    return number;
  }
  const uint64_t held = oldest_revision_held();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    if (row->second.last_revision >= held || row->second.last_revision >= revision) continue;
    const uint32_t number = row->second.number;
    rows.erase(row);
    rows[name] = {number, revision};
    return number;
  }
  return Error{fmt::format("no row is left in the status region for '{}': {} are in use", name, limit)};
}

Result<config::Materials> RegionKeeper::assign_rows(const config::Document& document, uint64_t revision) {
  config::Materials materials;
  for (const auto& [name, upstream] : document.upstreams) {
    const auto turn = row_for(upstreams_, name, revision, status::kUpstreamRows);
    if (!turn) return turn.error();
    materials.upstreams[name] = *turn;
    for (const auto& [id, target] : upstream.targets) {
      const std::string key = name + "/" + id;
      const auto row = row_for(targets_, key, revision, status::kTargetRows);
      if (!row) return row.error();
      materials.targets[key].row = *row;
    }
  }
  register_series(metrics_, document);
  return materials;
}

}   // namespace proxyd::master
