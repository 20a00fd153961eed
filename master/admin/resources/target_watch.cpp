#include "master/admin/resources/target_watch.h"

namespace proxyd::admin {

bool TargetWatch::follow() {
  const auto active = context_->master.configuration().active();
  const auto* targets = active ? &active->targets : nullptr;
  const auto found = targets ? targets->find(name_) : decltype(active->targets.end()){};
  if (!targets || found == targets->end()) return false;
  for (const uint32_t row : found->second.rows())
    cut_before_.try_emplace(row, context_->master.regions().status().cut_sum(row));
  return true;
}

uint32_t TargetWatch::in_flight() {
  follow();
  uint32_t sum = 0;
  for (const auto& [row, before] : cut_before_) sum += context_->master.regions().status().in_flight_sum(row);
  return sum;
}

uint32_t TargetWatch::cut() {
  follow();
  uint32_t sum = 0;
  for (const auto& [row, before] : cut_before_) sum += context_->master.regions().status().cut_sum(row) - before;
  return sum;
}

// A row that is another's by now is left alone: those that the target has are asked for anew.
bool TargetWatch::cut_all() {
  const auto active = context_->master.configuration().active();
  const auto found = active->targets.find(name_);
  if (found == active->targets.end()) return false;
  for (const uint32_t row : found->second.rows()) context_->master.pool().cut(row);
  return true;
}

}   // namespace proxyd::admin
