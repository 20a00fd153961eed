#include "master/metric_series.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shared/config/decode.h"
#include "shared/metrics/catalog.h"
#include "shared/metrics/labels.h"

namespace proxyd::master {
namespace {

constexpr const char* kDocument = R"(
version: 1
listeners: { main: { address: "127.0.0.1:1" } }
cache_policies: { pages: {} }
rate_limits: { often: { rate: 5/s } }
access_lists: { office: { allow: [10.0.0.0/8] } }
upstreams: { app: { targets: { one: { address: "127.0.0.1:2" } } } }
hosts:
  www:
    names: [a.test]
    access: office
    rate_limit: often
    auth: { basic: { realm: staff, users_file: /etc/users } }
    routes: [ { name: all, upstream: app, cache: pages } ]
)";

TEST(MetricSeries, AreThoseOfTheDocumentEachOnce) {
  auto region = metrics::MetricsRegion::create();
  ASSERT_TRUE(region);
  const config::Decoded decoded = config::decode(kDocument, config::Format::kYaml);
  ASSERT_TRUE(decoded.valid());
  register_series(*region, decoded.document);
  const size_t first = region->series().size();
  register_series(*region, decoded.document);
  EXPECT_EQ(region->series().size(), first);
  EXPECT_TRUE(region->find("proxyd_h1_reject_total", metrics::label("reason", "te_and_cl")));
  EXPECT_TRUE(region->find("proxyd_upstream_connections_reused_total", metrics::target_labels("app", "one")));
  EXPECT_TRUE(region->find("proxyd_http_request_bytes_total", metrics::route_labels("www", "all")));
  EXPECT_FALSE(region->full());
}

TEST(MetricSeries, OfDynamicTargetsAreOnesForAllSoThatTheirNamesNeedNoBound) {
  auto region = metrics::MetricsRegion::create();
  ASSERT_TRUE(region);
  config::Document document;
  config::Upstream& upstream = document.upstreams["app"];
  upstream.membership = config::Membership::kDynamic;
  register_series(*region, document);
  const size_t first = region->series().size();
  for (int n = 0; n < 4096; ++n) upstream.targets[std::to_string(n)];
  register_series(*region, document);
  EXPECT_EQ(region->series().size(), first);
  EXPECT_TRUE(region->find("proxyd_upstream_connections_reused_total", metrics::dynamic_target_labels("app")));
}

TEST(MetricSeries, LeaveNoFamilyOfTheCatalogOut) {
  auto region = metrics::MetricsRegion::create();
  ASSERT_TRUE(region);
  register_series(*region, config::decode(kDocument, config::Format::kYaml).document);
  const auto all = region->series();
  for (const metrics::Family& family : metrics::catalog()) {
    EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name == family.name; }))
        << family.name;
  }
}

}   // namespace
}   // namespace proxyd::master
