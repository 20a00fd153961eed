#include "worker/proxy/pace.h"

namespace proxyd::proxy {

void Pace::moved(uint64_t octets, Instant now) {
  if (!limit_ || !waiting_ || octets == 0) return;
  octets_ += octets;
  const auto needed = least_ * static_cast<uint64_t>(limit_->count()) / 1000;
  if (octets_ < needed) return;
  octets_ = 0;
  since_ = now;
}

Deadline Pace::deadline(Instant now) {
  if (!limit_) return Deadline::never();
  if (!waiting_) {
    waiting_ = true;
    octets_ = 0;
    since_ = now;
  }
  return Deadline::at(since_ + *limit_);
}

}  // namespace proxyd::proxy
