#include <gtest/gtest.h>

#include <unistd.h>
#include <thread>

#include "shared/status/reject_region.h"
#include "shared/status/status_region.h"

namespace proxyd::status {
namespace {

TEST(StatusRegion, SumsOverWorkersAndForgetsADeadOne) {
  auto region = StatusRegion::create();
  ASSERT_TRUE(region);
  region->note_slot(2);
  region->in_flight(0, 5) = 3;
  region->in_flight(2, 5) = 4;
  EXPECT_EQ(region->in_flight_sum(5), 7u);
  auto adopted = StatusRegion::adopt(UniqueFd(::dup(region->descriptor())));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->in_flight_sum(5), 7u);
  region->clear_worker(2);
  EXPECT_EQ(adopted->in_flight_sum(5), 3u);
}

TEST(StatusRegion, WhatADeadWorkerHasCutStaysCounted) {
  auto region = StatusRegion::create();
  ASSERT_TRUE(region);
  region->note_slot(2);
  region->cut(0, 5) = 1;
  region->cut(2, 5) = 2;
  region->clear_worker(2);
  EXPECT_EQ(region->cut_sum(5), 3u);
  EXPECT_EQ(region->cut_sum(4), 0u);
}

TEST(StatusRegion, IsNotAdoptedAsAnother) {
  auto region = StatusRegion::create();
  ASSERT_TRUE(region);
  EXPECT_FALSE(RejectRegion::adopt(UniqueFd(::dup(region->descriptor()))));
}

TEST(RejectRegion, BlanksSecretsAndKeepsTheNewest) {
  auto region = RejectRegion::create();
  ASSERT_TRUE(region);
  for (int i = 0; i < 100; ++i)
    region->record(1, {i, false, "peer", "te_and_cl", 3, "GET / HTTP/1.1\r\nCookie: secret\r\nX: y\r\n"});
  const auto newest = region->newest(10);
  ASSERT_EQ(newest.size(), 10u);
  EXPECT_EQ(newest[0].time_ms, 99);
  EXPECT_EQ(newest[0].excerpt.find("secret"), std::string::npos);
  EXPECT_NE(newest[0].excerpt.find("X: y"), std::string::npos);
}

TEST(RejectRegion, GivesNoTornRecordToAReaderThatRaces) {
  auto region = RejectRegion::create();
  ASSERT_TRUE(region);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      const std::string mark(8, static_cast<char>('a' + i % 26));
      region->record(0, {i, false, mark, mark, 0, mark});
    }
  });
  for (int round = 0; round < 300; ++round) {
    for (const Reject& one : region->newest(64))
      ASSERT_TRUE(one.peer == one.reason && one.reason == one.excerpt) << one.peer;
  }
  stop = true;
  writer.join();
}

}   // namespace
}   // namespace proxyd::status
