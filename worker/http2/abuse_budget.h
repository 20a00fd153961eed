#pragma once

#include <algorithm>
#include <cstdint>

namespace proxyd::http2 {

// What one client may do that is allowed and of no use: resets, pings, settings, empty frames and the like. A bucket of
// tokens that refills with time; when it is empty, the client is told to calm down (GOAWAY ENHANCE_YOUR_CALM). A value
// of a session; time in milliseconds of a monotonic clock, from 0.
class AbuseBudget {
 public:
  static constexpr uint32_t kBurst = 200;
  static constexpr uint32_t kRefill = 33;   // a second

  // False when the bucket holds fewer than `cost`: it is empty then.
  bool charge(uint64_t now_ms, uint32_t cost = 1) {
    refill(now_ms);
    const uint64_t wanted = uint64_t{cost} * kToken;
    const bool paid = tokens_ >= wanted;
    tokens_ -= paid ? wanted : tokens_;
    return paid;
  }

  // A request that was answered whole gives back what one cancelled before may have cost: who lets none finish gains
  // nothing by it.
  void give_back() { tokens_ = std::min<uint64_t>(tokens_ + kToken, kBurst * kToken); }

  uint32_t left() const { return static_cast<uint32_t>(tokens_ / kToken); }

 private:
  static constexpr uint64_t kToken = 1000;   // so that a millisecond's share is a whole number

  void refill(uint64_t now_ms) {
    if (now_ms <= filled_at_) return;
    const uint64_t passed = std::min<uint64_t>(now_ms - filled_at_, kBurst * kToken / kRefill + 1);
    tokens_ = std::min<uint64_t>(tokens_ + passed * kRefill, kBurst * kToken);
    filled_at_ = now_ms;
  }

  uint64_t tokens_ = kBurst * kToken;
  uint64_t filled_at_ = 0;
};

}   // namespace proxyd::http2
