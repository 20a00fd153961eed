#include "worker/proxy/client_deadline.h"

#include <gtest/gtest.h>

namespace proxyd::proxy {
namespace {

using namespace std::chrono_literals;

TEST(ClientDeadline, GrpcSaysEightDigitsAndAUnit) {
  EXPECT_EQ(parse_grpc_timeout("1H"), 1h);
  EXPECT_EQ(parse_grpc_timeout("2M"), 2min);
  EXPECT_EQ(parse_grpc_timeout("3S"), 3s);
  EXPECT_EQ(parse_grpc_timeout("100m"), 100ms);
  EXPECT_EQ(parse_grpc_timeout("7u"), 7us);
  EXPECT_EQ(parse_grpc_timeout("00000009n"), 9ns);
  EXPECT_EQ(parse_grpc_timeout("99999999H"), std::chrono::hours(24 * 366)) << "as long as anything waits";
  for (const char* wrong : {"", "1", "S", "100000000S", "-1S", "+1S", "1 S", "1s", "1.5S", "1SS", "0x1S"})
    EXPECT_FALSE(parse_grpc_timeout(wrong).has_value()) << wrong;
}

TEST(ClientDeadline, AFieldSaysADurationOrSeconds) {
  EXPECT_EQ(parse_deadline("250ms"), 250ms);
  EXPECT_EQ(parse_deadline("2s"), 2s);
  EXPECT_EQ(parse_deadline("1m"), 1min);
  EXPECT_EQ(parse_deadline("1h"), 1h);
  EXPECT_EQ(parse_deadline("2"), 2s);
  EXPECT_EQ(parse_deadline("1.5"), 1500ms);
  EXPECT_EQ(parse_deadline("0.0004"), 0ns) << "thousandths are as fine as it gets";
  EXPECT_EQ(parse_deadline("0"), 0ns);
  EXPECT_EQ(parse_deadline("999999999999h"), std::chrono::hours(24 * 366));
  for (const char* wrong : {"", "s", ".5", "1.", "1..2", "-1", "1 s", "1S", "1sec", "1e3", "1234567890123"})
    EXPECT_FALSE(parse_deadline(wrong).has_value()) << wrong;
}

}   // namespace
}   // namespace proxyd::proxy
