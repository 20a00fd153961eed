#include <gtest/gtest.h>
#include <unistd.h>

#include "shared/metrics/catalog.h"
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
  region->cell(0, "nobody", "").add();
  EXPECT_EQ(region->sum(*region->find("proxyd_metrics_overflow_total", "")), 1u);
}

TEST(Catalog, RegistersEverySeriesOfADocumentOnce) {
  auto region = MetricsRegion::create();
  ASSERT_TRUE(region);
  register_series(*region, {});
  const size_t first = region->series().size();
  register_series(*region, {});
  EXPECT_EQ(region->series().size(), first);
  EXPECT_TRUE(region->find("proxyd_h1_reject_total", "reason=\"te_and_cl\""));
}

}   // namespace
}   // namespace proxyd::metrics
