#include "shared/base/clock.h"

#include <gtest/gtest.h>

namespace proxyd {
namespace {

TEST(Deadline, PassesAtItsInstantAndNeverPassesWithoutLimit) {
  const Instant now = Clock::now();
  const Deadline soon = Deadline::after(now, milliseconds(5));
  EXPECT_FALSE(soon.passed(now + milliseconds(4)));
  EXPECT_TRUE(soon.passed(now + milliseconds(5)));
  EXPECT_TRUE(Deadline::after(now, std::nullopt).is_never());
  EXPECT_FALSE(Deadline::never().passed(now + std::chrono::hours(24 * 365)));
}

TEST(Deadline, OfACenturyIsNever) {
  EXPECT_TRUE(Deadline::after(Clock::now(), milliseconds::max()).is_never());
  EXPECT_TRUE(Deadline::after(Clock::now(), std::chrono::hours(24) * 365 * 100).is_never());
}

TEST(Deadline, TheEarlierOfTwoCounts) {
  const Instant now = Clock::now();
  const Deadline soon = Deadline::after(now, milliseconds(5));
  EXPECT_EQ(soon.earlier_of(Deadline::never()).when(), soon.when());
  EXPECT_EQ(Deadline::never().earlier_of(soon).when(), soon.when());
}

TEST(Rfc3339, IsUtcWithMilliseconds) {
  EXPECT_EQ(rfc3339(std::chrono::system_clock::time_point(milliseconds(0))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(std::chrono::system_clock::time_point(milliseconds(1'709'164'799'042))),
            "2024-02-28T23:59:59.042Z");
  EXPECT_EQ(rfc3339(std::chrono::system_clock::time_point(milliseconds(1'709'164'800'000))),
            "2024-02-29T00:00:00.000Z");
}

}   // namespace
}   // namespace proxyd
