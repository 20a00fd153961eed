#include "worker/net/pipe_pool.h"

#include <gtest/gtest.h>

namespace proxyd::net {
namespace {

TEST(PipePool, LendsAPipeAgain) {
  PipePool pool;
  Pipe pipe = pool.borrow();
  ASSERT_TRUE(pipe);
  EXPECT_GE(pipe.capacity, 65536u);
  const int descriptor = pipe.read_end.value();
  pool.give_back(std::move(pipe));
  EXPECT_EQ(pool.borrow().read_end.value(), descriptor);
}

}   // namespace
}   // namespace proxyd::net
