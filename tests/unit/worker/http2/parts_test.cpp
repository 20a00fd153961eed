#include <gtest/gtest.h>

#include <set>

#include "shared/metrics/http2_words.h"
#include "tests/support/http2/peer.h"
#include "worker/http2/abuse_budget.h"
#include "worker/http2/content_queue.h"
#include "worker/http2/frame_rules.h"
#include "worker/http2/frame_scanner.h"
#include "worker/http2/priority.h"

namespace proxyd::http2 {
namespace {

TEST(AbuseBudget, HoldsABurstAndRefillsWithTime) {
  AbuseBudget budget;
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(budget.charge(1000));
  EXPECT_FALSE(budget.charge(1000));
  EXPECT_FALSE(budget.charge(1030));
  EXPECT_TRUE(budget.charge(1062));   // 33 a second
  EXPECT_FALSE(budget.charge(1062));
}

TEST(AbuseBudget, NeverHoldsMoreThanTheBurst) {
  AbuseBudget budget;
  EXPECT_TRUE(budget.charge(UINT64_MAX / 2));
  EXPECT_EQ(budget.left(), AbuseBudget::kBurst - 1);
  EXPECT_TRUE(budget.charge(5));   // a clock that stepped back
  EXPECT_EQ(budget.left(), AbuseBudget::kBurst - 2);
}

TEST(AbuseBudget, GetsBackATokenForEachAnswerAndNoMoreThanTheBurst) {
  AbuseBudget budget;
  EXPECT_TRUE(budget.charge(1000, 200));
  budget.give_back();
  EXPECT_TRUE(budget.charge(1000));
  EXPECT_FALSE(budget.charge(1000));
  for (int i = 0; i < 300; ++i) budget.give_back();
  EXPECT_EQ(budget.left(), AbuseBudget::kBurst);
}

TEST(AbuseBudget, IsEmptyAfterAChargeThatItDoesNotHold) {
  AbuseBudget budget;
  EXPECT_FALSE(budget.charge(0, 201));
  EXPECT_FALSE(budget.charge(0));
}

TEST(Priority, IsReadFromItsField) {
  const auto is = [](std::string_view text, uint8_t urgency, bool incremental) {
    return parse_priority(text) == Priority{urgency, incremental};
  };
  EXPECT_TRUE(is("", 3, false));
  EXPECT_TRUE(is("u=0", 0, false));
  EXPECT_TRUE(is("i", 3, true));
  EXPECT_TRUE(is("u=7, i", 7, true));
  EXPECT_TRUE(is("i=?0,u=1", 1, false));
  EXPECT_TRUE(is("i=?1;x=y", 3, true));
  EXPECT_TRUE(is("u=8", 3, false));
  EXPECT_TRUE(is("u=-1, u=high, u", 3, false));
  EXPECT_TRUE(is("u=1, u=5", 5, false));   // the last of a key counts (RFC 8941 3.2)
  EXPECT_TRUE(is("other=1, u=2", 2, false));
}

TEST(ContentQueue, GivesBackWhatWentInAndHoldsNoMemoryWhenEmpty) {
  CountedMemory memory;
  ContentQueue queue(memory);
  EXPECT_TRUE(queue.front().empty());
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    const std::string part(static_cast<size_t>(i % 97), static_cast<char>('a' + i % 26));
    queue.append(part);
    all += part;
  }
  EXPECT_EQ(queue.size(), all.size());
  EXPECT_LT(memory.live, all.size() + 2 * Memory::kLargest);
  std::string out;
  while (!queue.empty()) {
    const size_t some = std::min<size_t>(queue.front().size(), 1000);
    out += queue.front().substr(0, some);
    queue.consume(some);
  }
  EXPECT_EQ(out, all);
  EXPECT_EQ(memory.live, 0u);
  queue.consume(10);   // there is nothing
  queue.append("x");
  queue.clear();
  EXPECT_EQ(memory.live, 0u);
}

TEST(StreamIds, RememberWhatWasLeftOut) {
  StreamIds ids;
  ids.open(1);
  ids.open(3);
  ids.open(9);
  EXPECT_FALSE(ids.was_left_out(1));
  EXPECT_FALSE(ids.was_left_out(3));
  EXPECT_TRUE(ids.was_left_out(5));
  EXPECT_TRUE(ids.was_left_out(7));
  EXPECT_FALSE(ids.was_left_out(9));
  EXPECT_EQ(ids.highest(), 9u);
}

// The frames as their heads tell, in steps; those of a type are dropped.
std::string scanned(std::string_view all, size_t step, FrameType dropped) {
  FrameScanner scanner(3);
  std::string passed;
  std::string heads;
  while (!all.empty()) {
    const size_t some = std::min(step, all.size());
    const std::string part(all.substr(0, some));   // its end is watched
    all.remove_prefix(some);
    scanner.give(part);
    while (scanner.next()) {
      const FrameHead& frame = scanner.frame();
      heads += std::string(to_string(frame.type)) + " " + std::to_string(frame.length) + " " +
               std::to_string(frame.stream) + " " + std::to_string(frame.word) + "\n";
      if (frame.type == dropped) {
        passed += scanner.run();
        scanner.drop();
      }
      if (!scanner.head_in_parts().empty()) passed += scanner.run();
      passed += scanner.head_in_parts();
    }
    passed += scanner.run();
  }
  return heads + (scanner.within_frame() ? "within|" : "between|") + passed;
}

TEST(FrameScanner, FindsTheSameHeadsInStepsOfAnySize) {
  const std::string all = "abc" + octets::settings(octets::setting(4, 1)) + octets::window_update(3, 77) +
                          octets::frame(2, 0, 5, octets::number(0x80000007, 4) + "x") + octets::window_update(0, 5) +
                          octets::data(1, "") + octets::frame(2, 0, 5, "abcd") + octets::data(7, "content") +
                          octets::frame(0x77, 1, 0x80000009, "?") + octets::frame(0x10, 0, 0, "1234u=1");
  for (const FrameType dropped :
       {FrameType::kGoaway, FrameType::kWindowUpdate, FrameType::kPriority, FrameType::kData}) {
    const std::string expected = scanned(all, SIZE_MAX, dropped);
    for (size_t step = 1; step < 40; ++step) EXPECT_EQ(scanned(all, step, dropped), expected) << step;
  }
  const std::string nothing_dropped = scanned(all, SIZE_MAX, FrameType::kGoaway);
  EXPECT_NE(nothing_dropped.find("window_update 4 3 77\npriority 5 5 7\n"), std::string::npos);
  EXPECT_TRUE(nothing_dropped.ends_with("between|" + all));
}

TEST(FrameRules, ChargeClientsOnly) {
  const FrameHead ping{.length = 8, .type = FrameType::kPing};
  const FrameHead settings{.length = 0, .type = FrameType::kSettings};
  FrameRules server(Role::kServer);
  FrameRules client(Role::kClient);
  EXPECT_TRUE(server.judge(settings).plain);   // the first
  EXPECT_TRUE(client.judge(settings).plain);
  EXPECT_EQ(server.judge(settings).charge, Fault::kSettingsFlood);
  EXPECT_EQ(server.judge(ping).charge, Fault::kPingFlood);
  EXPECT_TRUE(client.judge(settings).plain);
  EXPECT_TRUE(client.judge(ping).plain);
}

TEST(Faults, EachHasAWordOfItsOwnAndACode) {
  std::set<std::string_view> words;
  for (size_t i = 0; i < kFaultCount; ++i) words.insert(to_string(static_cast<Fault>(i)));
  EXPECT_EQ(words.size(), kFaultCount);
  EXPECT_EQ(code_of(Fault::kHpack), ErrorCode::kCompressionError);
  EXPECT_EQ(code_of(Fault::kGoawayFlood), ErrorCode::kEnhanceYourCalm);
  EXPECT_EQ(code_of(Fault::kNoMemory), ErrorCode::kInternalError);
  EXPECT_EQ(to_string(static_cast<ErrorCode>(99)), "unknown");
  EXPECT_EQ(index_of(static_cast<ErrorCode>(99)), index_of(ErrorCode::kInternalError));
}

// A word that only one side knows would be counted nowhere.
TEST(Words, OfMetricsAreTheEnginesOwn) {
  ASSERT_EQ(metrics::kHttp2Faults.size() + 1, kFaultCount);   // all but none
  for (size_t i = 1; i < kFaultCount; ++i) EXPECT_EQ(metrics::kHttp2Faults[i - 1], to_string(static_cast<Fault>(i)));
  ASSERT_EQ(metrics::kHttp2FrameTypes.size(), kFrameTypeCount);
  for (size_t i = 0; i < kFrameTypeCount; ++i) {
    EXPECT_EQ(metrics::kHttp2FrameTypes[i], to_string(static_cast<FrameType>(i)));
  }
  ASSERT_EQ(metrics::kHttp2ErrorCodes.size(), kErrorCodeCount);
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    EXPECT_EQ(metrics::kHttp2ErrorCodes[i], to_string(static_cast<ErrorCode>(i)));
  }
}

}   // namespace
}   // namespace proxyd::http2
