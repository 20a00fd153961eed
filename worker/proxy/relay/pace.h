#pragma once

#include <cstdint>

#include "shared/config/model.h"
#include "worker/async/event_loop.h"

namespace proxyd::proxy {

inline constexpr uint64_t kSlowestClient = 256;   // octets a second; of client_body and client_write

// How long one may wait for a peer that should be moving octets: `limit` for a gap without progress, where progress is
// `least` octets a second on average (RS-003: a client that sends an octet now and then is no better than a silent
// one), or any octet when `least` is zero. A value of one transfer.
class Pace {
 public:
  Pace(config::MaybeDuration limit, uint64_t least_per_second) : limit_(limit), least_(least_per_second) {}

  // Octets have moved; true when that was enough and the gap begins anew.
  bool moved(uint64_t octets, Instant now);
  // Waiting begins or goes on: until when.
  Deadline deadline(Instant now);
  // Nobody waits for this peer at the moment.
  void pause() { waiting_ = false; }
  // So many octets within the limit are progress.
  uint64_t needed() const;
  // The same pace, asked for twice as often.
  Pace halved() const;

 private:
  config::MaybeDuration limit_;
  uint64_t least_;
  uint64_t octets_ = 0;
  Instant since_{};
  bool waiting_ = false;
};

}   // namespace proxyd::proxy
