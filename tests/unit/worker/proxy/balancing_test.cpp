#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>

#include "shared/base/steady.h"
#include "tests/unit/worker/proxy/stored/worker_fixture.h"
#include "worker/proxy/configuration.h"
#include "worker/upstream/balancer.h"

namespace proxyd::proxy {
namespace {

using Outcome = upstream::Balancer::Outcome;
using upstream::Tried;

struct Wanted {
  std::string id;
  std::string rest = "";   // of the target's JSON
};

// One upstream, "app", and what its balancer chooses.
class Balancing : public WorkerTest {
 protected:
  const upstream::UpstreamGroup& built(const std::string& settings, const std::vector<Wanted>& targets) {
    std::string json;
    config::Materials materials;
    uint32_t row = 1;
    for (const Wanted& one : targets) {
      const std::string address = fmt::format("192.0.2.{}:80", row);
      json += fmt::format("{}\"{}\": {{\"address\": \"{}\"{}}}", json.empty() ? "" : ", ", one.id, address, one.rest);
      materials.targets["app/" + one.id] = {{{address, row}}, config::Admission::kReady, std::nullopt};
      ++row;
    }
    materials.upstreams["app"] = 3;
    auto made = builder_.build(
        {1, ++epoch_,
         fmt::format(R"({{"version": 1, "upstreams": {{"app": {{{}"targets": {{{}}}}}}}}})", settings, json),
         materials});
    EXPECT_TRUE(made) << made.error().text;
    configuration_ = *made;
    builder_.settle(*configuration_);
    return configuration_->upstreams.at("app");
  }
  std::string chosen(const upstream::UpstreamGroup& group, const Tried& tried = {},
                     const upstream::Balancer::Belongs& belongs = {}) {
    const auto choice = balancer_.choose(group, tried, belongs, now_);
    if (choice.outcome == Outcome::kAllFull) return "full";
    if (choice.outcome == Outcome::kNoneEligible) return "none";
    return group.members[choice.member].id + (choice.is_trial ? " trial" : "");
  }
  std::map<std::string, int> spread(const upstream::UpstreamGroup& group, int requests) {
    std::map<std::string, int> counts;
    for (int i = 0; i < requests; ++i) ++counts[chosen(group)];
    return counts;
  }
  status::TargetHealth health(uint32_t row) { return status::TargetHealth(status_.health(row)); }
  uint64_t now_ms() const { return static_cast<uint64_t>(steady_ms(now_)); }
  void changed() { status_.version(3).fetch_add(1); }
  void check(uint32_t row, bool passed) {
    health(row).note_check({now_ms(), passed ? status::Finding::kOk : status::Finding::kStatus, 0}, 1, 1);
    changed();
  }

  uint64_t epoch_ = 0;
  Instant now_ = Clock::now();
  std::shared_ptr<const Configuration> configuration_;
  ConfigurationBuilder builder_{services(), &metrics_, nullptr};
  upstream::Balancer balancer_{status_, 7};
};

TEST_F(Balancing, SmoothWeightedRoundRobinHasItsExactSequence) {
  const auto& group = built(R"("balance": "round_robin", )",
                            {{"a", R"(, "weight": 500)"}, {"b", R"(, "weight": 100)"}, {"c", R"(, "weight": 100)"}});
  std::string sequence;
  for (int i = 0; i < 14; ++i) sequence += chosen(group);
  EXPECT_EQ(sequence, "aabacaaaabacaa");
}

TEST_F(Balancing, TwoChoicesHoldWeightsWhenNothingIsInFlight) {
  const auto& group =
      built("", {{"a", R"(, "weight": 300)"}, {"b", R"(, "weight": 100)"}, {"c", R"(, "weight": 200)"}});
  const auto counts = spread(group, 12'000);
  EXPECT_NEAR(counts.at("a"), 6000, 250);
  EXPECT_NEAR(counts.at("b"), 2000, 250);
  EXPECT_NEAR(counts.at("c"), 4000, 250);
}

TEST_F(Balancing, TwoChoicesPreferWhoHasLessToDoForItsWeight) {
  const auto& group = built("", {{"a", R"(, "weight": 200)"}, {"b"}});
  status_.note_slot(1);
  status_.in_flight(1, 1) = 5;
  status_.in_flight(1, 2) = 2;
  EXPECT_EQ(spread(group, 50), (std::map<std::string, int>{{"b", 50}}));
  status_.in_flight(1, 2) = 3;
  EXPECT_EQ(spread(group, 50), (std::map<std::string, int>{{"a", 50}}));
}

TEST_F(Balancing, LeastRequestsTakesTheLeastOfAll) {
  const auto& group = built(R"("balance": "least_requests", )", {{"a"}, {"b"}, {"c", R"(, "weight": 1000)"}});
  status_.note_slot(1);
  status_.in_flight(1, 1) = 1;
  status_.in_flight(1, 2) = 1;
  status_.in_flight(1, 3) = 9;
  EXPECT_EQ(spread(group, 20), (std::map<std::string, int>{{"c", 20}}));
}

TEST_F(Balancing, OneKeyStaysAtItsTargetUntilThatHasFarMoreThanItsShare) {
  const auto& group = built(R"("balance": "consistent_hash", "hash_key": "path", )", {{"a"}, {"b"}, {"c"}, {"d"}});
  const upstream::Balancer::Belongs belongs{.hash = upstream::KetamaRing::hash_of("/x")};
  const std::string owner = chosen(group, {}, belongs);
  const uint32_t row = group.members[static_cast<size_t>(owner[0] - 'a')].target->row();
  status_.note_slot(1);
  status_.in_flight(1, row) = 9;
  EXPECT_EQ(chosen(group, {}, belongs), owner) << "a few are no load";
  status_.in_flight(1, row) = 12;
  EXPECT_NE(chosen(group, {}, belongs), owner);
  for (uint32_t other = 1; other <= 4; ++other) status_.in_flight(1, other) = 12;
  EXPECT_EQ(chosen(group, {}, belongs), owner) << "all have as much to do";
}

TEST_F(Balancing, AKeyOfATargetThatIsDownMovesAlongTheRingAndComesBack) {
  const auto& group =
      built(R"("balance": "consistent_hash", "hash_key": "path", "health": {"active": {}}, )", {{"a"}, {"b"}, {"c"}});
  const upstream::Balancer::Belongs belongs{.hash = upstream::KetamaRing::hash_of("/x")};
  for (uint32_t row = 1; row <= 3; ++row) check(row, true);
  const std::string owner = chosen(group, {}, belongs);
  const auto row = static_cast<uint32_t>(owner[0] - 'a' + 1);
  check(row, false);
  const std::string other = chosen(group, {}, belongs);
  EXPECT_NE(other, owner);
  EXPECT_EQ(chosen(group, {}, belongs), other);
  check(row, true);
  EXPECT_EQ(chosen(group, {}, belongs), owner);
}

TEST_F(Balancing, BackupsAreUsedWhenNoPrimaryCanBe) {
  const auto& group = built(R"("health": {"active": {}}, )", {{"a"}, {"b", R"(, "backup": true)"}});
  check(1, true);
  check(2, true);
  EXPECT_EQ(spread(group, 20), (std::map<std::string, int>{{"a", 20}}));
  check(1, false);
  EXPECT_EQ(spread(group, 20), (std::map<std::string, int>{{"b", 20}}));
}

TEST_F(Balancing, BeforeAnyWasUpThoseThatWereNotCheckedAreEligibleAndAfterwardsTheyWait) {
  const auto& group = built(R"("health": {"active": {}}, )", {{"a"}, {"b"}});
  EXPECT_EQ(spread(group, 100).size(), 2u);
  check(1, true);
  EXPECT_EQ(spread(group, 50), (std::map<std::string, int>{{"a", 50}}));
  check(1, false);
  EXPECT_EQ(chosen(group), "none") << "one that nobody has checked is no help";
  check(2, true);
  EXPECT_EQ(chosen(group), "b");
}

TEST_F(Balancing, AnEjectedTargetGetsATrialAfterItsTimeAndBeforeThatOnlyWhatNobodyElseTakes) {
  const auto& group = built(R"("health": {"passive": {"eject_for": "10s"}}, )", {{"a"}, {"b"}});
  health(1).eject(now_ms(), 10'000);
  changed();
  EXPECT_EQ(spread(group, 20), (std::map<std::string, int>{{"b", 20}}));
  Tried tried;
  tried.add(1);
  EXPECT_EQ(chosen(group, tried), "a") << "the retry of a request that failed at the other";
  now_ += std::chrono::seconds(11);
  EXPECT_EQ(chosen(group), "a trial");
  EXPECT_EQ(chosen(group), "b") << "one at a time";
  group.passive->succeeded(1, now_, true);
  EXPECT_EQ(spread(group, 100).size(), 2u);
}

TEST_F(Balancing, NoMoreAreEjectedThanTheShareAndNeverTheLastOne) {
  const auto& group =
      built(R"("health": {"passive": {"failures": 1, "max_ejected_percent": 50}}, )", {{"a"}, {"b"}, {"c"}});
  group.passive->failed(1, now_, false, status::Finding::kBrokeOff);
  group.passive->failed(2, now_, false, status::Finding::kBrokeOff);
  EXPECT_EQ(spread(group, 100).size(), 2u) << "the second is above half";
  health(1).clear();
  const auto& single = built(R"("health": {"passive": {"failures": 1, "max_ejected_percent": 100}}, )", {{"a"}});
  single.passive->failed(1, now_, false, status::Finding::kBrokeOff);
  EXPECT_EQ(health(1).circuit().state, status::TargetHealth::State::kClosed);
  EXPECT_EQ(chosen(single), "a");
}

TEST_F(Balancing, AnEjectedTargetIsNoRoomWhileOthersAreFull) {
  const auto& group = built("", {{"a", R"(, "max_connections": 1)"}, {"b"}});
  health(2).eject(now_ms(), 10'000);
  changed();
  status_.note_slot(1);
  status_.in_flight(1, 1) = 1;
  EXPECT_EQ(chosen(group), "full");
}

TEST_F(Balancing, APanicEndsByTheTrialsOfThoseThatWereEjected) {
  const auto& group = built(R"("panic_threshold": 60, "health": {"passive": {"max_ejected_percent": 100}}, )",
                            {{"a"}, {"b"}, {"c"}, {"d"}});
  for (const uint32_t row : {1u, 2u}) health(row).eject(now_ms(), 1000);
  changed();
  EXPECT_TRUE(group.standing_at(now_).panics());
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(chosen(group), "a trial");
  group.passive->succeeded(1, now_, true);
  EXPECT_EQ(chosen(group), "b trial");
  group.passive->succeeded(2, now_, true);
  EXPECT_FALSE(group.standing_at(now_).panics());
}

TEST_F(Balancing, InPanicAllGetRequests) {
  const auto& group = built(R"("health": {"active": {}}, "panic_threshold": 50, )", {{"a"}, {"b"}, {"c"}, {"d"}});
  for (uint32_t row = 1; row <= 4; ++row) check(row, true);
  check(1, false);
  check(2, false);
  EXPECT_EQ(spread(group, 200).size(), 2u);
  check(3, false);
  EXPECT_EQ(spread(group, 200).size(), 4u);
  EXPECT_TRUE(group.standing_at(now_).panics());
}

TEST_F(Balancing, ATargetThatComesBackGetsItsShareBitByBit) {
  const auto& group = built(R"("slow_start": "20s", )", {{"a"}, {"b"}});
  health(1).set_ready_since(now_ms());
  changed();
  const int at_first = spread(group, 4000)["a"];
  EXPECT_NEAR(at_first, 4000 * 5 / 105, 80);
  now_ += std::chrono::seconds(10);
  EXPECT_NEAR(spread(group, 4000)["a"], 4000 * 55 / 155, 150);
  now_ += std::chrono::seconds(10);
  EXPECT_NEAR(spread(group, 4000)["a"], 2000, 150);
}

TEST_F(Balancing, AClientGoesWhereItWasThoughThatWeighsNothingButNotWhereItFails) {
  const auto& group = built(R"("health": {"active": {}}, )", {{"a", R"(, "weight": 0)"}, {"b"}});
  check(1, true);
  check(2, true);
  const upstream::Balancer::Belongs belongs{.member = uint16_t{0}};
  EXPECT_EQ(chosen(group, {}, belongs), "a");
  EXPECT_EQ(spread(group, 20), (std::map<std::string, int>{{"b", 20}}));
  check(1, false);
  EXPECT_EQ(chosen(group, {}, belongs), "b");
}

TEST_F(Balancing, AClientWhoseTargetIsFullWaitsForIt) {
  const auto& group = built("", {{"a", R"(, "max_connections": 1)"}, {"b"}});
  status_.note_slot(1);
  status_.in_flight(1, 1) = 1;
  EXPECT_EQ(chosen(group, {}, {.member = uint16_t{0}}), "full");
}

TEST_F(Balancing, LeastRequestsDrawsByWeightWhereAllHaveAsMuchToDo) {
  const auto& group = built(R"("balance": "least_requests", )", {{"a", R"(, "weight": 300)"}, {"b"}});
  EXPECT_NEAR(spread(group, 4000)["a"], 3000, 150);
}

TEST_F(Balancing, AtTheirMaxConnectionsAllAreFull) {
  const auto& group = built("", {{"a", R"(, "max_connections": 1)"}, {"b", R"(, "max_connections": 2)"}});
  status_.note_slot(1);
  status_.in_flight(1, 1) = 1;
  EXPECT_EQ(spread(group, 20), (std::map<std::string, int>{{"b", 20}}));
  status_.in_flight(1, 2) = 2;
  EXPECT_EQ(chosen(group), "full");
  ASSERT_TRUE(group.line);
  EXPECT_TRUE(group.line->empty());
}

}   // namespace
}   // namespace proxyd::proxy
