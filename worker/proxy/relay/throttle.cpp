#include "worker/proxy/relay/throttle.h"

#include <algorithm>

namespace proxyd::proxy {
namespace {

constexpr uint64_t kLeastPortion = 1024;
constexpr uint64_t kMostPortion = 64 * 1024;

}   // namespace

Throttle::Throttle(const config::Bandwidth& settings)
    : rate_(std::max<uint64_t>(settings.rate, 1)),
      free_(settings.after),
      portion_(std::clamp(rate_ / 20, kLeastPortion, kMostPortion)) {}

uint64_t Throttle::allowance(Instant now) {
  if (free_ > 0) return free_;
  if (counted_to_ == Instant{}) counted_to_ = now;
  const double seconds = std::chrono::duration<double>(now - counted_to_).count();
  counted_to_ = now;
  const auto most = static_cast<double>(std::max(rate_ / 8, portion_));
  credit_ = std::min(credit_ + seconds * static_cast<double>(rate_), most);
  return credit_ >= static_cast<double>(portion_) ? static_cast<uint64_t>(credit_) : 0;
}

Instant Throttle::next(Instant now) const {
  const double missing = std::max(0.0, static_cast<double>(portion_) - credit_);
  const auto wait = std::chrono::duration<double>(missing / static_cast<double>(rate_));
  return now + std::chrono::ceil<milliseconds>(wait);
}

void Throttle::moved(uint64_t octets) {
  const uint64_t uncounted = std::min(octets, free_);
  free_ -= uncounted;
  credit_ -= static_cast<double>(octets - uncounted);
}

}   // namespace proxyd::proxy
