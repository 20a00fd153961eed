#include "worker/proxy/relay/pace.h"

#include <algorithm>

namespace proxyd::proxy {

uint64_t Pace::needed() const {
  const uint64_t octets = limit_ ? least_ * static_cast<uint64_t>(limit_->count()) / 1000 : 0;
  return std::max<uint64_t>(octets, 1);
}

bool Pace::moved(uint64_t octets, Instant now) {
  if (!limit_ || !waiting_ || octets == 0) return false;
  octets_ += octets;
  if (octets_ < needed()) return false;
  octets_ = 0;
  since_ = now;
  return true;
}

Deadline Pace::deadline(Instant now) {
  if (!limit_) return Deadline::never();
  if (!waiting_) {
    waiting_ = true;
    octets_ = 0;
    since_ = now;
  }
  return Deadline::after(since_, limit_);
}

Pace Pace::halved() const {
  Pace half = *this;
  if (half.limit_) half.limit_ = std::max(*limit_ / 2, config::Duration(1));
  return half;
}

}   // namespace proxyd::proxy
