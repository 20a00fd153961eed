#pragma once

#include <chrono>

#include "shared/tickets/ticket_region.h"

namespace proxyd::master {

// When session tickets get new keys: every twelve hours of the wall clock, so that a machine that slept is not late.
// Owned by the master, whose loop asks once a second. A clock that was set back begins the wait anew.
class TicketRotation {
 public:
  using Wall = std::chrono::system_clock::time_point;
  static constexpr std::chrono::hours kPeriod{12};

  explicit TicketRotation(const tickets::TicketRegion& region) : region_(region) {}

  // True: there are new keys.
  bool rotate_if_due(Wall now);

 private:
  const tickets::TicketRegion& region_;
  Wall last_{};   // none yet: the keys are as old as the region
};

}   // namespace proxyd::master
