#include "master/member_edits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace proxyd::master {
namespace {

struct Part {
  int number = 0;
  bool done = false;
};

TEST(MemberEdits, WhoComesDuringAChangeIsInTheNextOneTogetherWithTheOthers) {
  MemberEdits<Part> edits(milliseconds(1));
  std::atomic<int> arrived{0};
  std::atomic<bool> go{false};
  std::vector<size_t> batches;   // by one at a time
  const auto perform = [&](const std::vector<Part*>& parts) {
    batches.push_back(parts.size());
    for (Part* part : parts) part->done = true;
    if (parts.front()->number == 0) go.wait(false);
  };
  Part first{0};
  std::thread leader([&] { edits.add(first, perform); });
  std::vector<Part> others(8);
  std::vector<std::thread> threads;
  for (Part& part : others) {
    part.number = 1;
    threads.emplace_back([&] {
      ++arrived;
      edits.add(part, perform);
    });
  }
  while (arrived < 8) std::this_thread::yield();
  go = true;
  go.notify_all();
  leader.join();
  for (std::thread& thread : threads) thread.join();
  size_t sum = 0;
  for (const size_t batch : batches) sum += batch;
  EXPECT_EQ(sum, 9u);
  EXPECT_TRUE(first.done);
  for (const Part& part : others) EXPECT_TRUE(part.done);
}

TEST(MemberEdits, OneAfterTheOtherWaitsForThePause) {
  MemberEdits<Part> edits(milliseconds(50));
  std::vector<Instant> times;
  for (int number = 0; number < 3; ++number) {
    Part part{number};
    edits.add(part, [&times](const std::vector<Part*>&) { times.push_back(Clock::now()); });
  }
  EXPECT_GE(times.at(1) - times.at(0), milliseconds(49));
  EXPECT_GE(times.at(2) - times.at(1), milliseconds(49));
}

TEST(MemberEdits, NobodyWaitsForAPauseAfterTheEnd) {
  MemberEdits<Part> edits(std::chrono::hours(1));
  int performed = 0;
  const auto perform = [&performed](const std::vector<Part*>&) { ++performed; };
  Part first, second;
  edits.add(first, perform);
  edits.close();
  edits.add(second, perform);
  EXPECT_EQ(performed, 2);
}

}   // namespace
}   // namespace proxyd::master
