#include "worker/caching/hit_for_miss.h"

#include <gtest/gtest.h>

namespace proxyd::caching {
namespace {

TEST(HitForMiss, TakesWhatIsStoredAwayOnlyWhereTheOriginSaysWhatThereIs) {
  for (const int status : {200, 206, 301, 404, 410}) EXPECT_TRUE(effect_of_unstorable(status).replaces) << status;
  for (const int status : {400, 401, 403, 429, 500, 503, 599})
    EXPECT_FALSE(effect_of_unstorable(status).replaces) << status;
}

TEST(HitForMiss, IsShortAfterAFailure) {
  EXPECT_EQ(effect_of_unstorable(200).pass_for, kPassFor);
  EXPECT_EQ(effect_of_unstorable(403).pass_for, kPassFor);
  EXPECT_EQ(effect_of_unstorable(500).pass_for, kPassAfterFailure);
}

}   // namespace
}   // namespace proxyd::caching
