#include "shared/tickets/ticket_region.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace proxyd::tickets {
namespace {

TEST(TicketRegion, BeginsWithThreeDifferentKeys) {
  const auto region = TicketRegion::create();
  ASSERT_TRUE(region);
  const TicketKeys keys = region->read();
  EXPECT_NE(keys.previous, keys.current);
  EXPECT_NE(keys.current, keys.next);
  EXPECT_NE(keys.next, TicketKey{});
}

TEST(TicketRegion, ARotationMakesNextCurrentAndKeepsThePreviousOne) {
  const auto region = TicketRegion::create();
  const TicketKeys before = region->read();
  region->rotate();
  const TicketKeys after = region->read();
  EXPECT_EQ(after.previous, before.current);
  EXPECT_EQ(after.current, before.next);
  EXPECT_NE(after.next, before.next);
}

TEST(TicketRegion, AnotherProcessReadsTheSameKeys) {
  const auto region = TicketRegion::create();
  const auto adopted = TicketRegion::adopt(UniqueFd(::dup(region->descriptor())));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->read(), region->read());
  region->rotate();
  EXPECT_EQ(adopted->read(), region->read());
}

// What one rotation publishes is read whole, or not at all: each key goes through the three places in turn.
TEST(TicketRegion, AReaderNeverSeesKeysOfTwoRotations) {
  const auto region = TicketRegion::create();
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) region->rotate();
    done = true;
  });
  TicketKeys former = region->read();
  for (size_t reads = 0; !done || reads == 0; ++reads) {
    const TicketKeys keys = region->read();
    ASSERT_NE(keys.current, keys.next);
    ASSERT_NE(keys.current, keys.previous);
    if (keys.current == former.current) {
      ASSERT_EQ(keys, former);
    }
    if (keys.current == former.next) {
      ASSERT_EQ(keys.previous, former.current);
    }
    former = keys;
  }
  writer.join();
}

}   // namespace
}   // namespace proxyd::tickets
