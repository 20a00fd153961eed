#include "master/leases.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

constexpr milliseconds kHour = std::chrono::hours(1);

TEST(Leases, EndWhenTheirTimeIsOverAndAreTakenUntilTheyAreForgotten) {
  Leases leases;
  leases.begin("u/a", kHour);
  leases.begin("u/b", 2 * kHour);
  EXPECT_TRUE(leases.take_ended(Clock::now()).empty());
  const Instant later = Clock::now() + kHour + kHour / 2;
  EXPECT_EQ(leases.take_ended(later), std::vector<std::string>{"u/a"});
  EXPECT_EQ(leases.take_ended(later), std::vector<std::string>{"u/a"});
  leases.keep_only([](const std::string& name) { return name != "u/a"; });
  EXPECT_TRUE(leases.take_ended(later).empty());
  EXPECT_FALSE(leases.ends("u/a"));
  EXPECT_TRUE(leases.ends("u/b"));
}

TEST(Leases, AreRenewedUntilTheyHaveBeenFoundToHaveEnded) {
  Leases leases;
  leases.begin("u/a", milliseconds(0));
  EXPECT_TRUE(leases.renew("u/a", kHour));
  EXPECT_TRUE(leases.take_ended(Clock::now()).empty());
  EXPECT_EQ(leases.take_ended(Clock::now() + 2 * kHour).size(), 1u);
  EXPECT_FALSE(leases.renew("u/a", kHour));
  leases.begin("u/a", kHour);
  EXPECT_TRUE(leases.renew("u/a", kHour));
}

TEST(Leases, AreNoneForWhomNoneWasBegunOrWhoGaveItUp) {
  Leases leases;
  EXPECT_FALSE(leases.renew("u/a", kHour));
  leases.begin("u/a", kHour);
  leases.end("u/a");
  EXPECT_FALSE(leases.renew("u/a", kHour));
  EXPECT_FALSE(leases.ends("u/a"));
}

}   // namespace
}   // namespace proxyd::master
