#include "master/back_off.h"

#include <algorithm>
#include <cstdlib>

namespace proxyd::master {
namespace {

constexpr auto kWindow = std::chrono::seconds(60);
constexpr auto kRest = std::chrono::seconds(60);
constexpr size_t kMostDeaths = 5;
constexpr milliseconds kFirst{100};
constexpr milliseconds kLongest{30'000};

// In builds with PROXYD_TEST_HOOKS, for a test that kills workers all the time: they are started again at once.
bool is_off() {
#ifdef PROXYD_TEST_HOOKS
  return ::getenv("PROXYD_TEST_NO_BACK_OFF") != nullptr;
#else
  return false;
#endif
}

}   // namespace

void BackOff::died(Instant started, Instant now, bool last) {
  ++total_;
  if (is_off()) return;
  if (now - started >= kWindow) {
    delay_ = milliseconds(0);
    recent_.clear();
  }
  recent_.push_back(now);
  while (!recent_.empty() && now - recent_.front() > kWindow) recent_.pop_front();
  resting_ = recent_.size() > kMostDeaths && !last;
  if (resting_) {
    next_ = now + kRest;
    recent_.clear();
    delay_ = milliseconds(0);
    return;
  }
  next_ = now + delay_;
  delay_ = delay_ == milliseconds(0) ? kFirst : std::min(delay_ * 2, kLongest);
}

}   // namespace proxyd::master
