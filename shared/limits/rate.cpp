#include "shared/limits/rate.h"

#include <algorithm>

namespace proxyd::limits {
namespace {

constexpr uint64_t kCountBits = 20;
constexpr uint64_t kCountMask = (1u << kCountBits) - 1;
constexpr uint64_t kNumberMask = (1u << 24) - 1;
static_assert(Rate::kMostCount <= kCountMask);

struct Window {
  uint64_t number;
  uint64_t current;
  uint64_t former;

  static Window of(uint64_t word) {
    return {word >> (2 * kCountBits), word >> kCountBits & kCountMask, word & kCountMask};
  }
  uint64_t word() const { return number << (2 * kCountBits) | current << kCountBits | former; }
};

// The share `part` of `whole` of so many, in 1/1024 of one.
uint64_t share(uint64_t many, uint64_t part, uint64_t whole) {
  return static_cast<uint64_t>(static_cast<double>(many) * 1024 * static_cast<double>(part) /
                               static_cast<double>(whole));
}

// Workers read the clock once in a pass of their loop, so theirs may be apart by as much as a pass may take: a worker
// that turns no loop for 5 s is ended.
constexpr uint64_t kSkew = 6'000'000'000;   // ns

}   // namespace

Rate Rate::bucket(uint64_t count, nanoseconds per, uint64_t burst) {
  Rate rate;
  rate.per_ = static_cast<uint64_t>(per.count());
  rate.interval_ = std::max<uint64_t>(1, rate.per_ / count);
  rate.quota_ = count + burst;
  return rate;
}

Rate Rate::window(uint64_t count, nanoseconds per) {
  Rate rate;
  rate.is_window_ = true;
  rate.per_ = static_cast<uint64_t>(per.count());
  rate.quota_ = count;
  return rate;
}

nanoseconds Rate::quota_time() const {
  return nanoseconds(static_cast<int64_t>(is_window_ ? per_ : quota_ * interval_));
}

Rate::Charge Rate::charge(uint64_t word, uint64_t now) const {
  return is_window_ ? charge_window(word, now) : charge_bucket(word, now);
}

Rate::Charge Rate::charge_bucket(uint64_t word, uint64_t now) const {
  const uint64_t whole = quota_ * interval_;
  // A bucket is never emptier than empty: after a change of the rate its word may say so.
  const uint64_t full_at = std::clamp(word, now, now + whole) + interval_;
  Charge charge;
  if (full_at - now > whole) {
    // Another worker's clock may be ahead of ours: its word is only lowered where no clock could have written it.
    charge.word = charge.void_after = word > now + whole + kSkew ? now + whole : word;
    charge.wait = nanoseconds(static_cast<int64_t>(full_at - now - whole));
    return charge;
  }
  charge.admitted = true;
  charge.word = charge.void_after = full_at;
  charge.remaining = (whole - (full_at - now)) / interval_;
  return charge;
}

Rate::Charge Rate::charge_window(uint64_t word, uint64_t now) const {
  uint64_t number = now / per_ & kNumberMask;
  uint64_t into = now % per_;
  Window window = Window::of(word);
  // Another worker's clock was ahead of ours: what it began has begun.
  const uint64_t ahead = (window.number - number) & kNumberMask;
  if (word != 0 && ahead != 0 && ahead <= 1 + kSkew / per_) {
    number = window.number;
    into = 0;
  }
  const uint64_t ago = (number - window.number) & kNumberMask;
  if (ago != 0) window = {number, 0, ago == 1 ? window.current : 0};
  const uint64_t weighted = window.current * 1024 + share(window.former, per_ - into, per_);
  Charge charge{.word = word};
  if (weighted + 1024 <= quota_ * 1024) {
    ++window.current;
    charge.admitted = true;
    charge.word = window.word();
    charge.remaining = (quota_ * 1024 - weighted - 1024) / 1024;
    charge.void_after = now - into + 2 * per_;
    return charge;
  }
  // In this window those of the former fade; where its own are too many, they have to fade in the next.
  const bool in_next = window.current >= quota_;
  const uint64_t fading = in_next ? window.current : window.former;
  const uint64_t room = in_next ? quota_ - 1 : quota_ - 1 - window.current;
  const double gone = 1 - static_cast<double>(room) / static_cast<double>(fading);
  const auto until = static_cast<uint64_t>(gone * static_cast<double>(per_)) + 1 + (in_next ? per_ : 0);
  charge.wait = nanoseconds(static_cast<int64_t>(until > into ? until - into : 1));
  return charge;
}

}   // namespace proxyd::limits
