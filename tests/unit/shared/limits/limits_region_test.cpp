#include "shared/limits/limits_region.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace proxyd::limits {
namespace {

using namespace std::chrono_literals;

TEST(LimitsRegion, IsOneForAllWhoAdoptIt) {
  const auto master = LimitsRegion::create();
  ASSERT_TRUE(master);
  const auto worker = LimitsRegion::adopt(UniqueFd(::dup(master->descriptor())));
  ASSERT_TRUE(worker);
  const uint64_t key = master->hash(1, "client");
  EXPECT_EQ(worker->hash(1, "client"), key);
  const Rate rate = Rate::bucket(1, 1s, 0);
  EXPECT_TRUE(master->rates().charge(key, rate, 1).admitted);
  EXPECT_FALSE(worker->rates().charge(key, rate, 1).admitted);
}

TEST(LimitsRegion, HashesBySecretDomainAndText) {
  const auto one = LimitsRegion::create();
  const auto other = LimitsRegion::create();
  ASSERT_TRUE(one && other);
  EXPECT_NE(one->hash(1, "a"), other->hash(1, "a"));
  EXPECT_NE(one->hash(1, "a"), one->hash(2, "a"));
  EXPECT_NE(one->hash(1, "a"), one->hash(1, std::string_view("a\0", 2)));
  EXPECT_NE(one->hash(1, ""), 0u);
  EXPECT_NE(one->hash(1, uint64_t{5}), one->hash(1, uint64_t{6}));
  EXPECT_NE(one->hash(1, uint64_t{5}), one->hash(2, uint64_t{5}));
}

TEST(LimitsRegion, OfAnotherLayoutIsRefused) {
  auto region = memory::Region::create("limits", 1, 4096);
  ASSERT_TRUE(region);
  EXPECT_FALSE(LimitsRegion::adopt(UniqueFd(::dup(region->descriptor()))));
}

}   // namespace
}   // namespace proxyd::limits
