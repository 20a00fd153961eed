#include "master/region_keeper.h"

#include <algorithm>

#include "master/metric_series.h"
#include "shared/base/steady.h"
#include "shared/status/target_health.h"

namespace proxyd::master {
namespace {

constexpr char kMark = '@';   // in no target's name

}   // namespace

Result<RegionKeeper> RegionKeeper::create(uint64_t cache_ceiling) {
  auto metrics = metrics::MetricsRegion::create();
  if (!metrics) return metrics.error();
  auto status = status::StatusRegion::create();
  if (!status) return status.error();
  auto rejects = status::RejectRegion::create();
  if (!rejects) return rejects.error();
  auto tickets = tickets::TicketRegion::create();
  if (!tickets) return tickets.error();
  auto limits = limits::LimitsRegion::create();
  if (!limits) return limits.error();
  auto cache = CacheKeeper::create(cache_ceiling);
  if (!cache) return cache.error();
  register_series(*metrics, {});   // some are counted in before there is a document
  return RegionKeeper(std::move(*metrics), std::move(*status), std::move(*rejects), std::move(*tickets),
                      std::move(*limits), std::move(*cache));
}

void RegionKeeper::worker_started(uint32_t slot, uint64_t incarnation, pid_t pid, uint64_t edition) {
  status_.note_slot(slot);
  status::WorkerSlot& words = status_.worker(slot);
  words.incarnation.store(incarnation);
  words.pid.store(static_cast<uint64_t>(pid));
  words.heartbeat_ms.store(heartbeat_now());
  words.oldest_edition.store(edition);
}

void RegionKeeper::worker_died(uint32_t slot) {
  status_.clear_worker(slot);
  metrics_.zero_gauges(slot);
  limits_.clients().clear(slot);
  cache_->worker_died(slot);
}

uint64_t RegionKeeper::heartbeat_now() { return static_cast<uint64_t>(steady_ms(Clock::now())); }

// What a worker holds is at least the edition in force when its oldest request began; workers report it.
uint64_t RegionKeeper::oldest_edition_held() const {
  uint64_t oldest = UINT64_MAX;
  for (uint32_t slot = 0; slot < status_.slots_in_use(); ++slot) {
    const status::WorkerSlot& worker = status_.worker(slot);
    if (worker.pid.load(std::memory_order_relaxed) == 0) continue;
    oldest = std::min(oldest, worker.oldest_edition.load(std::memory_order_relaxed));
  }
  return oldest;
}

Result<RegionKeeper::Assignment> RegionKeeper::assign_rows(const config::Document& document,
                                                           config::Materials materials, uint64_t edition) const {
  Assignment assignment{std::move(materials), targets_, upstreams_, limit_numbers_};
  const uint64_t held = oldest_edition_held();
  assignment.targets.begin(edition, held);
  assignment.upstreams.begin(edition, held);
  assignment.limits.begin(edition, held);
  for (const auto& [name, limit] : document.rate_limits) {
    const auto number = assignment.limits.take(name);
    if (!number) return number.error();
    assignment.materials.limits[name] = *number;
  }
  for (const auto& [name, upstream] : document.upstreams) {
    const auto turn = assignment.upstreams.take(name);
    if (!turn) return turn.error();
    assignment.materials.upstreams[name] = *turn;
    for (const auto& [id, target] : upstream.targets) {
      const std::string own = name + "/" + id;
      const std::string prefix = own + kMark;
      config::TargetMaterial& material = assignment.materials.targets[own];
      for (config::TargetPlace& place : material.places) {
        const auto row = assignment.targets.take(prefix + place.address);
        if (!row) return row.error();
        place.row = *row;
      }
      material.leaving = assignment.targets.leaving(prefix);
    }
  }
  return assignment;
}

void RegionKeeper::keep(Assignment assignment) {
  for (const uint32_t row : assignment.targets.fresh()) status::TargetHealth(status_.health(row)).clear();
  targets_ = std::move(assignment.targets);
  upstreams_ = std::move(assignment.upstreams);
  limit_numbers_ = std::move(assignment.limits);
}

void RegionKeeper::add_series(const config::Document& document) { register_series(metrics_, document); }

}   // namespace proxyd::master
