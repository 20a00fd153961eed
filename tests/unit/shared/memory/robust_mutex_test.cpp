#include "shared/memory/robust_mutex.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace proxyd::memory {
namespace {

using Outcome = RobustMutex::Outcome;

class RobustMutexTest : public testing::Test {
 protected:
  RobustMutexTest()
      : mutex_(static_cast<RobustMutex*>(
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    mutex_->create();
  }
  ~RobustMutexTest() override { ::munmap(mutex_, 4096); }

  // Another process that takes it and is killed.
  void die_holding() {
    const pid_t child = ::fork();
    if (child == 0) {
      [[maybe_unused]] const Outcome outcome = mutex_->acquire();
      ::kill(::getpid(), SIGKILL);
    }
    ::waitpid(child, nullptr, 0);
  }

  RobustMutex* mutex_;
};

TEST_F(RobustMutexTest, ExcludesAndGivesUpInItsPatience) {
  ASSERT_EQ(mutex_->acquire(), Outcome::held);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(mutex_->acquire() == Outcome::busy ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  mutex_->release();
  EXPECT_EQ(mutex_->try_acquire(), Outcome::held);
  mutex_->release();
}

TEST_F(RobustMutexTest, SaysThatItsHolderDiedUntilSomebodyRepaired) {
  die_holding();
  die_holding();   // the repairer as well
  ASSERT_EQ(mutex_->acquire(), Outcome::owner_died);
  mutex_->repaired();
  mutex_->release();
  EXPECT_EQ(mutex_->acquire(), Outcome::held);
  mutex_->release();
}

}   // namespace
}   // namespace proxyd::memory
