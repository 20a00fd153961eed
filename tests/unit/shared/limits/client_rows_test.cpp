#include "shared/limits/client_rows.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

namespace proxyd::limits {
namespace {

constexpr uint64_t kClient = 0x1234567890abcdef;

class Rows : public testing::Test {
 protected:
  Rows() : memory_(std::make_unique<ClientRow[]>(4)), rows_(memory_.get()) {}
  ClientRows::Entered enter(uint32_t slot, uint64_t most, uint64_t client = kClient) {
    return rows_.enter(slot, 4, client, most);
  }
  std::unique_ptr<ClientRow[]> memory_;
  ClientRows rows_;
};

TEST_F(Rows, CountAClientInAllWorkersAndRefuseItAboveTheLimit) {
  const auto first = enter(0, 2);
  const auto second = enter(3, 2);
  EXPECT_TRUE(first.admitted && second.admitted);
  EXPECT_FALSE(enter(1, 2).admitted);
  EXPECT_TRUE(enter(1, 2, kClient + (1u << 20)).admitted) << "of another client";
  ClientRows::leave(first.place);
  EXPECT_TRUE(enter(1, 2).admitted);
  EXPECT_EQ(rows_.running(4, kClient), 2u);
}

TEST_F(Rows, OfADeadWorkerAreCleared) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(enter(2, 10).admitted);
  EXPECT_TRUE(enter(1, 10).admitted);
  rows_.clear(2);
  EXPECT_EQ(rows_.running(4, kClient), 1u);
}

TEST_F(Rows, GiveACellThatNobodyNeedsToAnotherClientAndLetInWhoFindsNone) {
  std::vector<ClientRows::Place> places;
  for (uint64_t n = 1; n <= kClientWays; ++n) places.push_back(enter(0, 1, n << 20).place);
  const auto none = enter(0, 1, 99 << 20);
  EXPECT_TRUE(none.admitted);
  EXPECT_EQ(none.place.word, nullptr);
  ClientRows::leave(none.place);
  ClientRows::leave(places[3]);
  EXPECT_NE(enter(0, 1, 99 << 20).place.word, nullptr);
  EXPECT_EQ(rows_.running(4, 4u << 20), 0u);
  EXPECT_EQ(rows_.running(4, 5u << 20), 1u);
}

TEST_F(Rows, NeverAdmitMoreThanTheLimitHoweverManyWorkersAskAtOnce) {
  constexpr uint64_t kMost = 3;
  std::atomic<int> inside = 0;
  std::atomic<int> worst = 0;
  std::vector<std::thread> workers;
  for (uint32_t slot = 0; slot < 4; ++slot) {
    workers.emplace_back([&, slot] {
      for (int i = 0; i < 20'000; ++i) {
        const auto one = enter(slot, kMost);
        const auto other = enter(slot, kMost);
        const int now = inside += (one.admitted ? 1 : 0) + (other.admitted ? 1 : 0);
        int seen = worst;
        while (seen < now && !worst.compare_exchange_weak(seen, now)) {
        }
        inside -= (one.admitted ? 1 : 0) + (other.admitted ? 1 : 0);
        ClientRows::leave(other.place);
        ClientRows::leave(one.place);
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_LE(worst, static_cast<int>(kMost));
  EXPECT_EQ(rows_.running(4, kClient), 0u);
}

}   // namespace
}   // namespace proxyd::limits
