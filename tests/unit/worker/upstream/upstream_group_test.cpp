#include "worker/upstream/upstream_group.h"

#include <gtest/gtest.h>

namespace proxyd::upstream {
namespace {

TEST(SmoothWeightedTurn, SpreadsTheHeavyOneOverItsTurn) {
  EXPECT_EQ(smooth_weighted_turn({5, 1, 1}), (std::vector<uint16_t>{0, 0, 1, 0, 2, 0, 0}));
  EXPECT_EQ(smooth_weighted_turn({100, 100}), (std::vector<uint16_t>{0, 1}));
}

TEST(SmoothWeightedTurn, IsBoundedWhateverTheWeights) {
  EXPECT_LE(smooth_weighted_turn({9973, 9967, 9949, 1}).size(), 4200u);
  EXPECT_TRUE(smooth_weighted_turn({}).empty());
}

}   // namespace
}   // namespace proxyd::upstream
