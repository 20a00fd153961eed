#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace proxyd {

using std::chrono::milliseconds;

// Monotonic time, for every timeout and every age. Never the wall clock, which an operator may set.
using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;

// The instant after which a wait is given up; `never` waits without limit (for durations that are `off`).
// A plain value, any process.
class Deadline {
 public:
  static Deadline never() { return Deadline(Instant::max()); }
  static Deadline at(Instant when) { return Deadline(when); }
  static Deadline after(Instant now, std::optional<milliseconds> limit) {
    return limit && *limit < kForever ? Deadline(now + *limit) : never();
  }

  bool is_never() const { return when_ == Instant::max(); }
  bool passed(Instant now) const { return now >= when_; }
  Instant when() const { return when_; }
  Deadline earlier_of(Deadline other) const { return when_ <= other.when_ ? *this : other; }

 private:
  static constexpr milliseconds kForever = std::chrono::hours(24) * 365 * 100;   // more does not fit into an Instant

  explicit Deadline(Instant when) : when_(when) {}
  Instant when_;
};

// "2026-11-24T14:18:05.123Z" (RFC 3339, UTC). Used in answers and logs.
std::string rfc3339(std::chrono::system_clock::time_point when);

}   // namespace proxyd
