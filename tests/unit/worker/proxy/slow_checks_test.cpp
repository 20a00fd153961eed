#include "worker/proxy/slow_checks.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

SlowChecks::Client ipv4(uint8_t last) { return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, last}; }

TEST(SlowChecks, have_a_fifth_of_the_time) {
  SlowChecks checks;
  const Instant began = Instant(std::chrono::seconds(100));
  EXPECT_TRUE(checks.is_free(began));
  checks.ran(began, began + milliseconds(50));
  EXPECT_FALSE(checks.is_free(began + milliseconds(249)));
  EXPECT_TRUE(checks.is_free(began + milliseconds(250)));
}

TEST(SlowChecks, have_few_places_for_one_client_and_not_many_for_all) {
  SlowChecks checks;
  std::vector<SlowChecks::Place> places;
  for (int i = 0; i < 3; ++i) {
    auto place = checks.place_for(ipv4(1));
    EXPECT_EQ(place.has_value(), i < 2);
    if (place) places.push_back(std::move(*place));
  }
  for (int i = 2; i < 100; ++i) {
    auto place = checks.place_for(ipv4(static_cast<uint8_t>(i)));
    EXPECT_EQ(place.has_value(), places.size() < 64);
    if (place) places.push_back(std::move(*place));
  }
  EXPECT_EQ(places.size(), 64u);
  places.pop_back();
  EXPECT_TRUE(checks.place_for(ipv4(200)));
}

TEST(SlowChecks, take_a_network_of_ipv6_for_one_client) {
  SlowChecks checks;
  SlowChecks::Client client{0x20, 1, 0xd, 0xb8};
  const auto first = checks.place_for(client);
  client[15] = 1;
  const auto second = checks.place_for(client);
  client[12] = 7;
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(checks.place_for(client));
  client[7] = 1;
  EXPECT_TRUE(checks.place_for(client));
}

}   // namespace
}   // namespace proxyd::proxy
