#include <gtest/gtest.h>
#include <sys/socket.h>

#include "worker/upstream/http1_connection.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {
namespace {

class ConnectionPoolTest : public testing::Test {
 protected:
  // A connection whose exchange has ended well; `peer` is the origin's end of it.
  std::unique_ptr<Http1Connection> used_connection(UniqueFd& peer) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer = UniqueFd(ends[1]);
    auto connection = std::make_unique<Http1Connection>(target_);
    EXPECT_TRUE(connection->start(loop_, UniqueFd(ends[0])));
    connection->connected();
    return connection;
  }

  async::EventLoop loop_;
  net::BufferPool buffers_;
  net::PipePool pipes_;
  status::StatusRegion status_ = std::move(*status::StatusRegion::create());
  metrics::MetricsRegion metrics_ = std::move(*metrics::MetricsRegion::create());
  Target target_{{loop_, buffers_, pipes_, status_, 0, metrics_.cell(0, "unsolicited", "")}, 0, {"127.0.0.1:1"}};
};

TEST_F(ConnectionPoolTest, AConnectionTakenInThePassInWhichItsIdleTimeEndsIsLeftAlone) {
  config::Keepalive limits;
  limits.idle_timeout = milliseconds(1000);
  target_.pool().set_limits(limits);
  UniqueFd peer;
  target_.pool().give_back(used_connection(peer));
  loop_.timers().expire(loop_.now() + milliseconds(2000), loop_.ready());   // queued, and before it runs …
  const auto taken = target_.pool().take();                                 // … a request takes the connection
  ASSERT_TRUE(taken);
  loop_.ready().run(10);
  EXPECT_EQ(taken->state(), Http1Connection::State::kInUse);
  EXPECT_EQ(target_.pool().idle(), 0u);
}

TEST_F(ConnectionPoolTest, AnIdleConnectionWhoseTimeIsOverIsClosed) {
  config::Keepalive limits;
  limits.idle_timeout = milliseconds(1000);
  target_.pool().set_limits(limits);
  UniqueFd peer;
  target_.pool().give_back(used_connection(peer));
  EXPECT_EQ(target_.pool().idle(), 1u);
  loop_.timers().expire(loop_.now() + milliseconds(2000), loop_.ready());
  loop_.ready().run(10);
  EXPECT_EQ(target_.pool().idle(), 0u);
  EXPECT_FALSE(target_.pool().take());
}

TEST_F(ConnectionPoolTest, TheYoungestIsTakenFirstAndTheOldestMakesRoom) {
  config::Keepalive limits;
  limits.max_idle = 2;
  target_.pool().set_limits(limits);
  UniqueFd peers[3];
  const Http1Connection* connections[3];
  for (size_t i = 0; i < 3; ++i) {
    auto connection = used_connection(peers[i]);
    connections[i] = connection.get();
    target_.pool().give_back(std::move(connection));
  }
  EXPECT_EQ(target_.pool().idle(), 2u);
  EXPECT_EQ(target_.pool().take().get(), connections[2]);
  EXPECT_EQ(target_.pool().take().get(), connections[1]);
  EXPECT_FALSE(target_.pool().take());
}

}   // namespace
}   // namespace proxyd::upstream
