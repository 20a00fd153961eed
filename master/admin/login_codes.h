#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "master/admin/exchange.h"
#include "shared/base/clock.h"

namespace proxyd::admin {

// One-time codes by which somebody on the unix socket logs a browser in: valid for 60 s, for one use. Only digests are
// kept, in memory. Bounded: the newest 64. Any thread.
class LoginCodes {
 public:
  static constexpr std::chrono::seconds kLifetime{60};

  // A new code that stands for `identity`.
  std::string make(Identity identity, Instant now);
  // Who the code stands for, once.
  std::optional<Identity> redeem(const std::string& code, Instant now);

 private:
  struct Entry {
    std::string digest;
    Identity identity;
    Instant expires;
  };
  std::mutex mutex_;
  std::deque<Entry> entries_;
};

}   // namespace proxyd::admin
