#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "shard.h"

namespace proxyd::cache {
namespace {

// Readers hold no lock: they raise counts and uses while one under the mutex changes all else.
TEST(EvictionReaders, CountWithoutALockWhileOthersAreAdmitted) {
  Shard shard(1000, 200);
  std::atomic<bool> over{false};
  const auto read = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    while (!over) {
      shard.eviction.note_request(random() % 500);
      shard.eviction.hit(static_cast<uint32_t>(random() % 200));
    }
  };
  std::thread first(read, 1);
  std::thread second(read, 2);
  std::mt19937_64 random(3);
  for (int times = 0; times < 20'000; ++times) {
    const auto row = static_cast<uint32_t>(random() % 200);
    if (shard.entries[row].place != Place::none) continue;
    const uint64_t hash = random() % 500;
    shard.request(hash);
    const Admission admission = shard.eviction.admit(hash, 1 + hash % 30);
    if (admission.verdict != Verdict::enters) continue;
    shard.make_room(1 + hash % 30);
    shard.eviction.insert(row, hash, 1 + hash % 30, admission.place);
  }
  over = true;
  first.join();
  second.join();
  EXPECT_EQ(shard.fault(), "");
  EXPECT_LE(shard.eviction.weight(), 1000u);
  EXPECT_GT(shard.eviction.objects(), 0u);
  for (const EvictionEntry& entry : shard.entries) EXPECT_LE(entry.uses, EvictionEntry::kMostUses);
}

}   // namespace
}   // namespace proxyd::cache
