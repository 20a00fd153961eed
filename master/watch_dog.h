#pragma once

#include <cstdint>

#include "shared/base/clock.h"

namespace proxyd::master {

// Whether a worker hangs: its loop has not turned for 5 s. When the master itself was over a second late it was the
// machine that slept or was stopped, and every worker gets those 5 s again. A value, owned by the pool.
class WatchDog {
 public:
  // The master's loop turns, every 100 ms.
  void turn(Instant now) {
    if (last_turn_ != Instant{} && now - last_turn_ > kLate) calm_until_ = now + kHung;
    last_turn_ = now;
  }
  // Both in milliseconds of CLOCK_MONOTONIC; a heartbeat of 0 has not begun.
  bool hangs(Instant now, uint64_t now_ms, uint64_t heartbeat_ms) const {
    return now >= calm_until_ && heartbeat_ms != 0 && now_ms > heartbeat_ms + static_cast<uint64_t>(kHung.count());
  }

 private:
  static constexpr milliseconds kHung{5000};
  static constexpr milliseconds kLate{1100};
  Instant last_turn_{};
  Instant calm_until_{};
};

}   // namespace proxyd::master
