#include "worker/upstream/ketama.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>
#include <map>

namespace proxyd::upstream {
namespace {

const std::string& owner_of(const KetamaRing& ring, std::string_view key) {
  const size_t place = ring.find(KetamaRing::hash_of(key));
  return ring.owners()[ring.points()[place].owner].name;
}

TEST(Ketama, SendsEveryKeyWhereNginxSentIt) {
  const KetamaRing ring({{"127.0.0.1:18101", 100},
                         {"127.0.0.1:18102", 200},
                         {"127.0.0.1:18103", 100},
                         {"unix:/run/four.sock", 300},
                         {"127.0.0.1:18105", 500}});
  std::ifstream recorded(PROXYD_SOURCE_DIR "/tests/unit/worker/upstream/ketama_nginx.tsv");
  std::string key;
  std::string server;
  int count = 0;
  while (std::getline(recorded, key, '\t') && std::getline(recorded, server)) {
    EXPECT_EQ(owner_of(ring, key), server) << key;
    ++count;
  }
  EXPECT_EQ(count, 400);
}

TEST(Ketama, AShareOfWeight100Has160PointsAndOthersInProportion) {
  const KetamaRing ring({{"127.0.0.1:80", 100}});
  EXPECT_EQ(ring.points_of(100), 160u);
  EXPECT_EQ(ring.points_of(50), 80u);
  EXPECT_EQ(ring.points_of(1), 2u);
  EXPECT_EQ(ring.points_of(0), 0u);
  EXPECT_EQ(ring.points_of(10000), 16000u);
  EXPECT_EQ(KetamaRing({{"127.0.0.1:80", 100}}).points().size(), 160u);
}

TEST(Ketama, ARemovalOfOneOfAHundredMovesItsKeysAndNoOthers) {
  std::vector<KetamaRing::Owner> owners;
  for (int i = 0; i < 100; ++i) owners.push_back({fmt::format("10.0.0.{}:8080", i), 100});
  const KetamaRing all(owners);
  const std::string gone = owners[42].name;
  owners.erase(owners.begin() + 42);
  const KetamaRing fewer(owners);
  int moved = 0;
  constexpr int kKeys = 20'000;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = fmt::format("key-{}", i);
    const std::string& before = owner_of(all, key);
    const std::string& after = owner_of(fewer, key);
    if (before != after) ++moved;
    EXPECT_TRUE(before == after || before == gone) << key;
  }
  EXPECT_LE(moved, kKeys * 2 / 100);
}

TEST(Ketama, ARingOfManyHeavyOwnersIsBounded) {
  std::vector<KetamaRing::Owner> owners;
  for (int i = 0; i < 100; ++i) owners.push_back({fmt::format("10.0.0.{}:8080", i), i == 0 ? 1u : 10'000u});
  const KetamaRing ring(owners);
  EXPECT_LE(ring.points().size(), 1'000'100u);
  EXPECT_GE(ring.points().size(), 990'000u);
  EXPECT_GE(ring.points_of(1), 1u);
}

TEST(Ketama, AnEmptyRingHasNoPoints) { EXPECT_TRUE(KetamaRing({}).points().empty()); }

}   // namespace
}   // namespace proxyd::upstream
