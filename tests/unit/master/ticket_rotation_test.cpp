#include "master/ticket_rotation.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(TicketRotation, KeysAreNewEveryTwelveHoursOfTheWallClock) {
  const auto region = tickets::TicketRegion::create();
  ASSERT_TRUE(region);
  TicketRotation rotation(*region);
  const TicketRotation::Wall start{hours(1000)};
  const tickets::TicketKeys first = region->read();
  EXPECT_FALSE(rotation.rotate_if_due(start));
  EXPECT_FALSE(rotation.rotate_if_due(start + hours(12) - seconds(1)));
  EXPECT_EQ(region->read(), first);
  EXPECT_TRUE(rotation.rotate_if_due(start + hours(12)));
  EXPECT_EQ(region->read().previous, first.current);
  EXPECT_FALSE(rotation.rotate_if_due(start + hours(13)));
  EXPECT_TRUE(rotation.rotate_if_due(start + hours(40)));   // the machine slept: once, not three times
  EXPECT_FALSE(rotation.rotate_if_due(start + hours(40) + seconds(1)));
}

TEST(TicketRotation, AClockThatWasSetBackBeginsTheWaitAnew) {
  const auto region = tickets::TicketRegion::create();
  ASSERT_TRUE(region);
  TicketRotation rotation(*region);
  const TicketRotation::Wall start{hours(1000)};
  EXPECT_FALSE(rotation.rotate_if_due(start));
  EXPECT_FALSE(rotation.rotate_if_due(start - hours(500)));
  EXPECT_TRUE(rotation.rotate_if_due(start - hours(488)));
}

}   // namespace
}   // namespace proxyd::master
