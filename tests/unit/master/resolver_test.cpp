#include "master/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <semaphore>
#include <set>

namespace proxyd::master {
namespace {

constexpr milliseconds kPatience{10'000};

// A name server that a test holds and asks what it was asked.
class NameServer {
 public:
  Resolver::Addresses answer(const std::string& target) {
    std::unique_lock lock(mutex_);
    asked_.push_back(target);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_.contains(target); });
    return answers_[target];
  }
  void set(const std::string& target, Resolver::Addresses addresses) {
    const std::lock_guard lock(mutex_);
    answers_[target] = std::move(addresses);
  }
  void hold(const std::string& target) {
    const std::lock_guard lock(mutex_);
    held_.insert(target);
  }
  void release(const std::string& target) {
    const std::lock_guard lock(mutex_);
    held_.erase(target);
    changed_.notify_all();
  }
  bool was_asked(const std::string& target, int times = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience,
                             [&] { return std::count(asked_.begin(), asked_.end(), target) >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> asked_;
  Resolver::Answers answers_;
  std::set<std::string> held_;
};

class Resolving : public testing::Test {
 protected:
  std::unique_ptr<Resolver> resolver(milliseconds interval = std::chrono::hours(1)) {
    return std::make_unique<Resolver>([this] { changes_.release(); },
                                      [names = names_](const std::string& target) { return names->answer(target); },
                                      interval);
  }
  bool changed() { return changes_.try_acquire_for(kPatience); }

  std::shared_ptr<NameServer> names_ = std::make_shared<NameServer>();
  std::counting_semaphore<> changes_{0};
};

TEST_F(Resolving, ANewNameIsWaitedForAndAnAddressIsItself) {
  names_->set("a.test:80", {"192.0.2.1:80"});
  const auto answers = resolver()->addresses({"a.test:80", "192.0.2.9:81", "unix:/run/x"}, kPatience);
  EXPECT_EQ(answers, (Resolver::Answers{{"a.test:80", {"192.0.2.1:80"}},
                                        {"192.0.2.9:81", {"192.0.2.9:81"}},
                                        {"unix:/run/x", {"unix:/run/x"}}}));
}

TEST_F(Resolving, TheEndDoesNotWaitForALookupThatHangs) {
  names_->hold("slow.test:80");
  auto one = resolver();
  EXPECT_EQ(one->addresses({"slow.test:80"}, milliseconds(1)).at("slow.test:80"), Resolver::Addresses());
  ASSERT_TRUE(names_->was_asked("slow.test:80"));
  one.reset();
  names_->release("slow.test:80");
}

TEST_F(Resolving, ANewNameDoesNotWaitBehindTheRound) {
  Resolver::Answers in_force;
  for (char c = 'a'; c <= 'z'; ++c) in_force[std::string(1, c) + ".test:80"] = {};
  names_->hold("a.test:80");
  names_->hold("b.test:80");
  const auto one = resolver();
  one->watch(in_force);
  ASSERT_TRUE(names_->was_asked("a.test:80"));
  (void)one->addresses({"new.test:80"}, milliseconds(1));
  names_->release("a.test:80");
  EXPECT_TRUE(names_->was_asked("new.test:80")) << "before b.test, which hangs";
  names_->release("b.test:80");
}

TEST_F(Resolving, AnAnswerThatComesLaterThanItsConfigurationCallsBack) {
  names_->set("a.test:80", {"192.0.2.1:80"});
  names_->hold("a.test:80");
  const auto one = resolver();
  one->watch(one->addresses({"a.test:80"}, milliseconds(1)));
  names_->release("a.test:80");
  EXPECT_TRUE(changed());
}

TEST_F(Resolving, WhatIsOnlyAskedForDoesNotTakeThePlaceOfWhatServes) {
  names_->set("serves.test:80", {"192.0.2.1:80"});
  names_->set("rehearsed.test:80", {"192.0.2.2:80"});
  const auto one = resolver(milliseconds(1));
  one->watch(one->addresses({"serves.test:80"}, kPatience));
  (void)one->addresses({"rehearsed.test:80"}, kPatience);
  names_->set("serves.test:80", {"192.0.2.3:80"});
  EXPECT_TRUE(changed()) << "it is looked up again all the same";
}

TEST_F(Resolving, AnAnswerThatDiffersFromWhatServesCallsBackUntilItServes) {
  names_->set("a.test:80", {"192.0.2.1:80"});
  const auto one = resolver();
  const auto first = one->addresses({"a.test:80"}, kPatience);
  names_->set("a.test:80", {"192.0.2.2:80"});
  one->watch({{"a.test:80", {"192.0.2.9:80"}}});   // not what was answered
  EXPECT_TRUE(changed());
  EXPECT_EQ(one->addresses({"a.test:80"}, kPatience).at("a.test:80"), Resolver::Addresses{"192.0.2.2:80"});
}

TEST_F(Resolving, ANameThatComesBackIsLookedUpAnew) {
  names_->set("a.test:80", {"192.0.2.1:80"});
  const auto one = resolver();
  one->watch(one->addresses({"a.test:80"}, kPatience));
  one->watch({});
  names_->set("a.test:80", {"192.0.2.2:80"});
  EXPECT_EQ(one->addresses({"a.test:80"}, kPatience).at("a.test:80"), Resolver::Addresses{"192.0.2.2:80"});
}

}   // namespace
}   // namespace proxyd::master
