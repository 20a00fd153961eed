#pragma once

#include <cstddef>
#include <deque>

#include "shared/base/clock.h"

namespace proxyd::master {

// When a worker slot is started again after a death: at once, then after 0.1, 0.2 … 30 s while it
// keeps dying; a life of 60 s forgets that. More than 5 deaths in 60 s: it rests for 60 s, unless it is the last one. A
// value.
class BackOff {
 public:
  // A worker that began at `started` has died. `last`: no other slot serves.
  void died(Instant started, Instant now, bool last);
  Instant next_start() const { return next_; }
  bool resting(Instant now) const { return resting_ && now < next_; }
  size_t deaths() const { return total_; }

 private:
  std::deque<Instant> recent_;
  milliseconds delay_{0};
  Instant next_{};
  size_t total_ = 0;
  bool resting_ = false;
};

}   // namespace proxyd::master
