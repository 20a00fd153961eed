#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "shared/metrics/labels.h"
#include "shared/metrics/metrics_region.h"

namespace proxyd::metrics {
namespace {

TEST(MetricsRegion, CountsOnAcrossSlotsAndLives) {
  auto region = MetricsRegion::create();
  ASSERT_TRUE(region);
  const uint32_t row = region->add("x_total", "a=\"b\"", Kind::kCounter);
  EXPECT_EQ(region->add("x_total", "a=\"b\"", Kind::kCounter), row);
  region->cell(0, "x_total", "a=\"b\"").add(2);
  auto adopted = MetricsRegion::adopt(UniqueFd(::dup(region->descriptor())));
  ASSERT_TRUE(adopted);
  adopted->cell(3, "x_total", "a=\"b\"").add(5);
  region->zero_gauges(0);
  EXPECT_EQ(region->sum(row), 7u);
}

TEST(MetricsRegion, CountsAnUnknownSeriesAsOverflow) {
  auto region = MetricsRegion::create();
  ASSERT_TRUE(region);
  const uint32_t overflow = *region->find("proxyd_metrics_overflow_total", "");
  EXPECT_EQ(region->sum(overflow), 0u);
  Cell nobodys = region->cell(0, "nobody", "");
  EXPECT_EQ(region->sum(overflow), 1u);   // the look-up
  nobodys.add();
  EXPECT_EQ(region->sum(overflow), 2u);
  region->histogram(1, "nobody", "").observe_microseconds(1);
  EXPECT_EQ(region->sum(overflow), 3u);
  EXPECT_FALSE(region->full());
}

TEST(MetricsRegion, SaysWhenASeriesFoundNoRoomAndStillFindsTheOthers) {
  auto region = MetricsRegion::create();
  ASSERT_TRUE(region);
  size_t added = 1;
  while (!region->full()) region->add("x_total", label("n", std::to_string(added++)), Kind::kCounter);
  EXPECT_EQ(added, 16384u + 1);   // one is the overflow's, and the last found no room
  EXPECT_EQ(region->add("y_total", "", Kind::kCounter), *region->find("proxyd_metrics_overflow_total", ""));
  EXPECT_FALSE(region->find("y_total", ""));
  for (size_t n = 1; n + 1 < added; ++n) {
    const auto row = region->find("x_total", label("n", std::to_string(n)));
    ASSERT_TRUE(row) << n;
    EXPECT_EQ(*row, n);
  }
}

TEST(Labels, AreSpelledAsPrometheusReadsThem) {
  EXPECT_EQ(with(target_labels("app", "one"), class_label(2)), R"(upstream="app",target="one",class="2xx")");
  EXPECT_EQ(route_labels("www", "all"), R"(host="www",route="all")");
  EXPECT_EQ(with("", label("le", "+Inf")), R"(le="+Inf")");
}

}   // namespace
}   // namespace proxyd::metrics
