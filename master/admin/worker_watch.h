#pragma once

#include <cstdint>
#include <vector>

#include "master/events.h"
#include "shared/status/status_region.h"

namespace proxyd::admin {

// Tells /events what becomes of workers: starting, running, draining, dead. It looks at the status region, which costs
// nobody a lock, so what begins and ends between two looks is told by the new process id alone. Owned by the context;
// its thread only.
class WorkerWatch {
 public:
  WorkerWatch(const status::StatusRegion& status, master::Events& events) : status_(status), events_(events) {}
  void look();

 private:
  struct Seen {
    uint64_t incarnation = 0;
    uint64_t pid = 0;
    std::string_view state = "dead";
  };
  Seen now(uint32_t slot) const;

  const status::StatusRegion& status_;
  master::Events& events_;
  std::vector<Seen> seen_;
};

}   // namespace proxyd::admin
