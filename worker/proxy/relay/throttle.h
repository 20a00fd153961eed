#pragma once

#include <cstdint>

#include "shared/base/clock.h"
#include "shared/config/model.h"

namespace proxyd::proxy {

// How fast the content of one response leaves (the key `bandwidth`): the first `after` octets as fast as they can, then
// `rate` a second. They leave in portions of a twentieth of a second, 1 to 64 KiB, and who was held up by another makes
// up for an eighth of a second at most. A value of one response; no clock, no allocation; who has to wait is told until
// when.
class Throttle {
 public:
  explicit Throttle(const config::Bandwidth& settings);

  // How many octets may leave now. None: not before `next`.
  uint64_t allowance(Instant now);
  Instant next(Instant now) const;
  void moved(uint64_t octets);

 private:
  uint64_t rate_;
  uint64_t free_;   // octets left of those that are not counted
  uint64_t portion_;
  double credit_ = 0;   // octets
  Instant counted_to_{};
};

}   // namespace proxyd::proxy
