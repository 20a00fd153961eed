#include "master/admin/worker_watch.h"

namespace proxyd::admin {

WorkerWatch::Seen WorkerWatch::now(uint32_t slot) const {
  const status::WorkerSlot& words = status_.worker(slot);
  Seen seen{words.incarnation.load(), words.pid.load(), "dead"};
  if (seen.pid == 0) return seen;
  const Seen& before = seen_[slot];
  const bool has_served =
      before.incarnation == seen.incarnation && (before.state == "running" || before.state == "draining");
  seen.state = words.serving.load() == 1 ? "running" : has_served ? "draining" : "starting";
  return seen;
}

void WorkerWatch::look() {
  seen_.resize(status_.slots_in_use());
  for (uint32_t slot = 0; slot < seen_.size(); ++slot) {
    const Seen seen = now(slot);
    if (seen.incarnation == seen_[slot].incarnation && seen.state == seen_[slot].state) continue;
    events_.publish("worker",
                    {{"slot", slot}, {"pid", seen.pid == 0 ? seen_[slot].pid : seen.pid}, {"state", seen.state}});
    seen_[slot] = seen;
  }
}

}   // namespace proxyd::admin
