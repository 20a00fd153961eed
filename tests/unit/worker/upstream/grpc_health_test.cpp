#include "worker/upstream/grpc_health.h"

#include <gtest/gtest.h>

namespace proxyd::upstream {
namespace {

using namespace std::string_literals;

TEST(GrpcHealth, ARequestIsAFrameWithTheServiceInItsFirstField) {
  EXPECT_EQ(grpc_health_request(""), "\0\0\0\0\0"s);
  EXPECT_EQ(grpc_health_request("a.B"), "\0\0\0\0\5\x0A\3a.B"s);
  const std::string longer(200, 'x');
  EXPECT_EQ(grpc_health_request(longer), "\0\0\0\0\xCB\x0A\xC8\x01"s + longer);
}

TEST(GrpcHealth, TheStatusIsTheFirstFieldWhateverElseIsThere) {
  EXPECT_EQ(grpc_health_status("\0\0\0\0\2\x08\1"s), 1u);
  EXPECT_EQ(grpc_health_status("\0\0\0\0\2\x08\2"s), 2u);
  EXPECT_EQ(grpc_health_status("\0\0\0\0\0"s), 0u) << "UNKNOWN is left out";
  EXPECT_EQ(grpc_health_status("\0\0\0\0\x06\x12\2hi\x08\1"s), 1u) << "an unknown field of octets before it";
  EXPECT_EQ(grpc_health_status("\0\0\0\0\4\x08\2\x08\1"s), 1u) << "the last one counts";
}

TEST(GrpcHealth, WhatIsNoMessageHasNoStatus) {
  for (const std::string& wrong :
       {""s, "\0\0\0\0"s, "\1\0\0\0\2\x08\1"s, "\0\0\0\0\3\x08\1"s, "\0\0\0\0\2\x08\1\1"s, "\0\0\0\0\1\x08"s,
        "\0\0\0\0\2\x12\5"s, "\0\0\0\0\1\x0B"s, "\0\xFF\xFF\xFF\xFF\x08\1"s})
    EXPECT_FALSE(grpc_health_status(wrong).has_value()) << testing::PrintToString(wrong);
}

}   // namespace
}   // namespace proxyd::upstream
