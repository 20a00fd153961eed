#include "master/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <set>

namespace proxyd::master {
namespace {

using Kind = dns::Outcome::Kind;

constexpr milliseconds kPatience{10'000};

dns::Query query(std::string target) {
  return {std::move(target), {config::Family::kAny, milliseconds(1), std::chrono::hours(1)}};
}

dns::Outcome found(std::vector<std::string> addresses, std::chrono::seconds ttl = std::chrono::hours(1)) {
  dns::Outcome outcome{Kind::kFound, {}, ttl, "", {}};
  for (std::string& one : addresses) outcome.addresses.push_back({std::move(one), 0, 0, "A"});
  return outcome;
}
dns::Outcome failed() { return {Kind::kFailed, {}, {}, "no name server answered", {}}; }
dns::Outcome denied() { return {Kind::kNothing, {}, {}, "there is no such name", {}}; }

std::vector<std::string> texts(const Resolver::Addresses& addresses) {
  std::vector<std::string> all;
  for (const dns::Address& one : addresses) all.push_back(one.address);
  return all;
}

// Name servers that a test holds and asks what they were asked.
class Scripted {
 public:
  void set(const std::string& target, dns::Outcome outcome) {
    const std::lock_guard lock(mutex_);
    answers_[target] = std::move(outcome);
    changed_.notify_all();
  }
  // Not answered until it is set.
  void hold(const std::string& target) {
    const std::lock_guard lock(mutex_);
    answers_.erase(target);
  }
  bool was_asked(const std::string& target, int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience,
                             [&] { return std::count(asked_.begin(), asked_.end(), target) >= times; });
  }

  void begin(const dns::Query& asked) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(asked.target);
    waiting_.push_back(asked);
    changed_.notify_all();
  }
  std::vector<dns::Finished> wait(Instant until) {
    std::unique_lock lock(mutex_);
    std::vector<dns::Finished> finished;
    const auto ready = [&] {
      std::erase_if(waiting_, [&](const dns::Query& one) {
        const auto answer = answers_.find(one.target);
        if (answer != answers_.end()) finished.push_back({one, answer->second});
        return answer != answers_.end();
      });
      return woken_ || !finished.empty();
    };
    until = std::min(until, Clock::now() + kPatience);
    changed_.wait_until(lock, until, ready);
    woken_ = false;
    return finished;
  }
  void wake() {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> asked_;
  std::vector<dns::Query> waiting_;
  std::map<std::string, dns::Outcome> answers_;
  bool woken_ = false;
};

class Forwarding final : public dns::Lookups {
 public:
  explicit Forwarding(Scripted& servers) : servers_(servers) {}
  void begin(const dns::Query& asked) override { servers_.begin(asked); }
  std::vector<dns::Finished> wait(Instant until) override { return servers_.wait(until); }
  void wake() override { servers_.wake(); }

 private:
  Scripted& servers_;
};

class Resolving : public testing::Test {
 protected:
  std::unique_ptr<Resolver> resolver(Resolver::Pace pace = {milliseconds(1), milliseconds(1), std::chrono::hours(1)}) {
    return std::make_unique<Resolver>([this] { changes_.release(); }, std::make_unique<Forwarding>(servers_), log_,
                                      pace);
  }
  bool changed() { return changes_.try_acquire_for(kPatience); }
  static std::vector<std::string> now(Resolver& resolver, const std::string& target,
                                      milliseconds patience = kPatience) {
    return texts(resolver.addresses({query(target)}, patience).at(query(target)));
  }
  // Asks, and what is answered serves.
  static std::vector<std::string> serve(Resolver& resolver, const std::string& target) {
    const auto answers = resolver.addresses({query(target)}, kPatience);
    resolver.watch(answers);
    return texts(answers.at(query(target)));
  }
  using Texts = std::vector<std::string>;

  Log log_{2, "test"};
  Scripted servers_;
  std::counting_semaphore<> changes_{0};
};

TEST_F(Resolving, ANewNameIsWaitedForAndAnAddressIsItself) {
  servers_.set("a.test:80", found({"192.0.2.1:80"}));
  const auto one = resolver();
  EXPECT_EQ(now(*one, "a.test:80"), Texts{"192.0.2.1:80"});
  EXPECT_EQ(now(*one, "192.0.2.9:81"), Texts{"192.0.2.9:81"});
  EXPECT_EQ(now(*one, "unix:/run/x"), Texts{"unix:/run/x"});
  EXPECT_EQ(now(*one, "[2001:db8::1]:80"), Texts{"[2001:db8::1]:80"});
}

TEST_F(Resolving, NobodyWaitsLongerThanItsPatienceNorForANameThatServes) {
  const auto one = resolver();
  EXPECT_EQ(now(*one, "a.test:80", milliseconds(1)), Texts{});
  one->watch(one->addresses({query("a.test:80")}, milliseconds(1)));
  EXPECT_EQ(now(*one, "a.test:80", std::chrono::hours(1)), Texts{});
  servers_.set("a.test:80", found({"192.0.2.1:80"}));
  EXPECT_TRUE(changed()) << "what is answered late makes a new epoch";
  EXPECT_EQ(now(*one, "a.test:80"), Texts{"192.0.2.1:80"});
}

TEST_F(Resolving, AnAnswerIsGoodForItsTimeToLiveWithinTheBoundsOfTheUpstream) {
  servers_.set("short.test:80", found({"192.0.2.1:80"}, std::chrono::seconds(0)));
  const auto one = resolver();
  serve(*one, "short.test:80");
  EXPECT_TRUE(servers_.was_asked("short.test:80", 3)) << "0 is min_ttl, here a millisecond";
  servers_.set("long.test:80", found({"192.0.2.1:80"}, std::chrono::hours(24)));
  dns::Query bounded = query("long.test:80");
  bounded.how.max_ttl = milliseconds(1);
  one->watch(one->addresses({bounded}, kPatience));
  EXPECT_TRUE(servers_.was_asked("long.test:80", 3));
  EXPECT_FALSE(changes_.try_acquire()) << "the same answer changes nothing";
}

TEST_F(Resolving, AnAnswerThatDiffersFromWhatServesCallsBack) {
  servers_.set("a.test:80", found({"192.0.2.1:80", "192.0.2.2:80"}, std::chrono::seconds(0)));
  const auto one = resolver();
  serve(*one, "a.test:80");
  servers_.set("a.test:80", found({"192.0.2.2:80", "192.0.2.3:80"}, std::chrono::seconds(0)));
  EXPECT_TRUE(changed());
  EXPECT_EQ(now(*one, "a.test:80"), (Texts{"192.0.2.2:80", "192.0.2.3:80"}));
  EXPECT_TRUE(changed()) << "until it serves";
}

TEST_F(Resolving, ANameThatIsNotAnsweredKeepsItsAddressesAndTellsOfItsTrouble) {
  servers_.set("a.test:80", found({"192.0.2.1:80"}, std::chrono::seconds(0)));
  const auto one = resolver();
  serve(*one, "a.test:80");
  EXPECT_TRUE(one->troubles().empty());
  servers_.set("a.test:80", failed());
  EXPECT_TRUE(servers_.was_asked("a.test:80", 5));
  servers_.set("a.test:80", denied());
  EXPECT_TRUE(servers_.was_asked("a.test:80", 10));
  EXPECT_EQ(now(*one, "a.test:80"), Texts{"192.0.2.1:80"});
  const auto troubles = one->troubles();
  ASSERT_EQ(troubles.size(), 1u);
  EXPECT_EQ(troubles[0].target, "a.test:80");
  EXPECT_EQ(troubles[0].addresses, 1u);
  servers_.set("a.test:80", found({"192.0.2.7:80"}));
  EXPECT_TRUE(changed());
  EXPECT_TRUE(one->troubles().empty());
}

TEST_F(Resolving, ANameThatIsDeniedForAWhileHasNoAddressAnyMore) {
  servers_.set("a.test:80", found({"192.0.2.1:80"}, std::chrono::seconds(0)));
  const auto one = resolver({milliseconds(1), milliseconds(1), milliseconds(20)});
  serve(*one, "a.test:80");
  servers_.set("a.test:80", denied());
  EXPECT_TRUE(changed());
  EXPECT_EQ(now(*one, "a.test:80"), Texts{});
}

TEST_F(Resolving, WhatWasNotAnsweredStaysBesideWhatWas) {
  dns::Outcome both = found({"192.0.2.1:80"}, std::chrono::seconds(0));
  both.addresses.push_back({"[2001:db8::1]:80", 0, 0, "AAAA"});
  servers_.set("a.test:80", both);
  const auto one = resolver();
  serve(*one, "a.test:80");
  dns::Outcome half = found({"192.0.2.2:80"}, std::chrono::seconds(0));
  half.unanswered = {"AAAA"};
  half.reason = "the name server failed (SERVFAIL)";
  servers_.set("a.test:80", half);
  EXPECT_TRUE(changed());
  EXPECT_EQ(now(*one, "a.test:80"), (Texts{"192.0.2.2:80", "[2001:db8::1]:80"}));
  EXPECT_EQ(one->troubles().size(), 1u);
}

TEST_F(Resolving, ANameHasAtMostSixtyFourAddressesThoseOfLowerPriorityBeforeOthers) {
  dns::Outcome many = found({});
  for (uint16_t i = 0; i < 100; ++i)
    many.addresses.push_back({fmt::format("192.0.2.{}:80", 100 + i), static_cast<uint16_t>(200 - i), 0, "SRV"});
  servers_.set("srv:_h._tcp.a.test", many);
  const auto answer = now(*resolver(), "srv:_h._tcp.a.test");
  ASSERT_EQ(answer.size(), 64u);
  EXPECT_EQ(answer.front(), "192.0.2.199:80");
}

TEST_F(Resolving, OnlyWhatIsInForceIsAskedAgainAndANameThatComesBackIsAskedAnew) {
  servers_.set("a.test:80", found({"192.0.2.1:80"}, std::chrono::seconds(0)));
  servers_.set("b.test:80", found({"192.0.2.2:80"}, std::chrono::seconds(0)));
  const auto one = resolver();
  serve(*one, "a.test:80");
  serve(*one, "b.test:80");
  servers_.set("a.test:80", found({"192.0.2.3:80"}));
  EXPECT_TRUE(servers_.was_asked("b.test:80", 5));
  EXPECT_FALSE(changes_.try_acquire()) << "what a.test is now is nobody's concern";
  EXPECT_EQ(now(*one, "a.test:80"), Texts{"192.0.2.3:80"});
}

TEST_F(Resolving, WhatIsOnlyAskedForDoesNotTakeThePlaceOfWhatServes) {
  servers_.set("serves.test:80", found({"192.0.2.1:80"}, std::chrono::seconds(0)));
  servers_.set("rehearsed.test:80", found({"192.0.2.2:80"}));
  const auto one = resolver();
  serve(*one, "serves.test:80");
  now(*one, "rehearsed.test:80");
  servers_.set("serves.test:80", found({"192.0.2.3:80"}));
  EXPECT_TRUE(changed());
}

TEST_F(Resolving, TheEndWaitsForNoLookup) {
  const auto one = resolver();
  now(*one, "never.test:80", milliseconds(1));
  EXPECT_TRUE(servers_.was_asked("never.test:80"));
}

}   // namespace
}   // namespace proxyd::master
