#include "master/private_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace proxyd::master {
namespace {

TEST(PrivateMemory, IsWhatTheKernelSaysOfAProcessAndNothingOfOneThatIsGone) {
  PrivateMemory memory;
  EXPECT_GT(memory.of(::getpid()), 64u * 1024);
  EXPECT_EQ(memory.of(0x7FFFFFFF), 0u);
}

}   // namespace
}   // namespace proxyd::master
