#include "master/target_places.h"

#include <gtest/gtest.h>

namespace proxyd::master {
namespace {

using Places = std::vector<config::TargetPlace>;

TEST(TargetPlaces, AddressesOfANameAreEqual) {
  EXPECT_EQ(target_places({{"192.0.2.1:80"}, {"192.0.2.2:80"}}), (Places{{"192.0.2.1:80"}, {"192.0.2.2:80"}}));
  EXPECT_TRUE(target_places({}).empty());
}

TEST(TargetPlaces, WeightsOfRecordsDivideTheTargetsAndHigherPrioritiesAreInReserve) {
  const auto places = target_places(
      {{"a:1", 10, 60}, {"b:1", 10, 20}, {"c:1", 10, 0}, {"d:1", 20, 0}, {"e:1", 20, 0}, {"f:1", 30, 65535}});
  EXPECT_EQ(places, (Places{{"a:1", 0, 225},
                            {"b:1", 0, 75},
                            {"c:1", 0, 1},
                            {"d:1", 0, 100, true},
                            {"e:1", 0, 100, true},
                            {"f:1", 0, 100, true}}));
}

}   // namespace
}   // namespace proxyd::master
