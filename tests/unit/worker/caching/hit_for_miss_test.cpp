#include "worker/caching/hit_for_miss.h"

#include <gtest/gtest.h>

namespace proxyd::caching {
namespace {

TEST(HitForMiss, TakesTheFreshAwayOnlyWhereTheOriginSaysWhatThereIs) {
  for (const int status : {200, 206, 301, 404, 410})
    EXPECT_TRUE(effect_of_unstorable(status, false).replaces) << status;
  for (const int status : {400, 401, 403, 429}) EXPECT_FALSE(effect_of_unstorable(status, false).replaces) << status;
}

TEST(HitForMiss, TakesTheStaleAwayWithAnyAnswerButAFailure) {
  for (const int status : {200, 401, 403, 429, 499}) EXPECT_TRUE(effect_of_unstorable(status, true).replaces) << status;
  for (const int status : {500, 503, 599}) EXPECT_FALSE(effect_of_unstorable(status, true).replaces) << status;
}

TEST(HitForMiss, IsShortAfterAFailure) {
  EXPECT_EQ(effect_of_unstorable(200, false).pass_for, kPassFor);
  EXPECT_EQ(effect_of_unstorable(403, true).pass_for, kPassFor);
  EXPECT_EQ(effect_of_unstorable(500, true).pass_for, kPassAfterFailure);
}

}   // namespace
}   // namespace proxyd::caching
