#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "shared/base/clock.h"

namespace proxyd::limits {

using std::chrono::nanoseconds;

// Time as all processes of this machine tell it: nanoseconds of the monotonic clock.
constexpr uint64_t now_ns(Instant when) {
  return static_cast<uint64_t>(std::chrono::duration_cast<nanoseconds>(when.time_since_epoch()).count());
}

// What is allowed for one key. A bucket holds `count + burst` requests and is filled at `count` in `per`: who was quiet
// may send so many at once, and `count` in `per` from then on. A window admits `count` in any `per`, as far as two
// neighbouring windows tell: those of the former one are taken to have come evenly.
//
// Of each key one word is kept. Of a bucket it is the instant at which the bucket will be full again (the generic cell
// rate algorithm: each request moves it on by the interval of one), of a window {its number, 24 bits; requests in it,
// 20; in the one before, 20}. Zero is a key of which nothing is known. Plain arithmetic: no clock, no memory. Values;
// any process.
class Rate {
 public:
  static constexpr uint64_t kMostCount = 1'000'000;

  static Rate bucket(uint64_t count, nanoseconds per, uint64_t burst);
  static Rate window(uint64_t count, nanoseconds per);

  struct Charge {
    bool admitted = false;
    uint64_t word = 0;         // what the key's word becomes
    uint64_t remaining = 0;    // requests that could come now, after this one
    nanoseconds wait{};        // until one is admitted, if it was not
    uint64_t void_after = 0;   // the instant from which on the word tells nothing
  };
  Charge charge(uint64_t word, uint64_t now) const;

  uint64_t quota() const { return quota_; }   // requests …
  nanoseconds quota_time() const;             // … in this time
  bool is_window() const { return is_window_; }
  uint64_t per_ns() const { return per_; }

 private:
  Charge charge_bucket(uint64_t word, uint64_t now) const;
  Charge charge_window(uint64_t word, uint64_t now) const;

  bool is_window_ = false;
  uint64_t quota_ = 1;
  uint64_t per_ = 1;        // nanoseconds
  uint64_t interval_ = 1;   // of one request of a bucket
};

}   // namespace proxyd::limits
