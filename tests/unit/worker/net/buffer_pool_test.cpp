#include "worker/net/buffer_pool.h"

#include <gtest/gtest.h>

namespace proxyd::net {
namespace {

TEST(BufferPool, LendsTheSmallestSizeThatHoldsAndTakesItBack) {
  BufferPool pool;
  EXPECT_EQ(pool.borrow(1).capacity(), 4096u);
  EXPECT_EQ(pool.borrow(4097).capacity(), 16384u);
  EXPECT_EQ(pool.borrow(1 << 20).capacity(), 131072u);
  const char* first = nullptr;
  {
    Buffer buffer = pool.borrow(4096);
    first = buffer.data();
    Buffer moved = std::move(buffer);
    EXPECT_FALSE(buffer);   // NOLINT: what was moved from is empty
  }
  EXPECT_EQ(pool.borrow(4096).data(), first);
  EXPECT_GT(pool.hits(), 0u);
}

}   // namespace
}   // namespace proxyd::net
