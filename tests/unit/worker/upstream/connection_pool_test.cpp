#include <gtest/gtest.h>
#include <sys/socket.h>

#include "worker/upstream/connection.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {
namespace {

class ConnectionPoolTest : public testing::Test {
 protected:
  // A connection whose exchange has ended well; `peer` is the origin's end of it.
  std::unique_ptr<Connection> used_connection(UniqueFd& peer) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    peer = UniqueFd(ends[1]);
    auto connection = std::make_unique<Connection>(target_);
    EXPECT_TRUE(connection->start(loop_, UniqueFd(ends[0])));
    connection->connected();
    return connection;
  }

  async::EventLoop loop_;
  net::BufferPool buffers_;
  net::PipePool pipes_;
  status::StatusRegion status_ = std::move(*status::StatusRegion::create());
  metrics::MetricsRegion metrics_ = std::move(*metrics::MetricsRegion::create());
  Log log_{2, "test"};
  Target target_{{loop_, buffers_, pipes_, status_, 0, log_, metrics_.cell(0, "unsolicited", "")}, 0, "127.0.0.1:1"};
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
  EXPECT_EQ(taken->state(), Connection::State::kInUse);
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
  const Connection* connections[3];
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

// Whether the origin's end of a connection has seen it end.
bool has_ended(const UniqueFd& peer) {
  char octet;
  return ::recv(peer.value(), &octet, 1, 0) == 0;
}

TEST_F(ConnectionPoolTest, ACutEndsWhatIsBusyAndLeavesTheIdleAlone) {
  UniqueFd peers[4];
  auto first = used_connection(peers[0]);
  auto idle = used_connection(peers[1]);
  auto ended = used_connection(peers[2]);
  auto last = used_connection(peers[3]);
  target_.pool().give_back(std::move(idle));
  ended.reset();   // from between the others
  target_.cut();
  EXPECT_TRUE(has_ended(peers[0]));
  EXPECT_FALSE(has_ended(peers[1]));
  EXPECT_TRUE(has_ended(peers[3]));
  EXPECT_TRUE(first->tcp().when_cut().is_set() && last->tcp().when_cut().is_set());
  EXPECT_EQ(status_.cut(0, 0), 0u) << "who finds its request ended counts it";
  target_.count_cut();
  EXPECT_EQ(status_.cut(0, 0), 1u);
  EXPECT_EQ(target_.pool().idle(), 1u);
}

TEST_F(ConnectionPoolTest, AConnectionIsCutOnlyWhileItIsUsed) {
  UniqueFd peer;
  target_.pool().give_back(used_connection(peer));
  auto taken = target_.pool().take();
  ASSERT_TRUE(taken);
  EXPECT_EQ(target_.pool().idle(), 0u);
  target_.pool().give_back(std::move(taken));
  target_.cut();
  EXPECT_FALSE(has_ended(peer));
  taken = target_.pool().take();
  target_.cut();
  EXPECT_TRUE(has_ended(peer));
  taken.reset();
  target_.cut();   // knows none any more
  EXPECT_EQ(status_.connections_sum(0), 0u);
}

struct Received {
  std::string octets;
  net::Moved::State end = net::Moved::State::kSome;
};

async::Task<Received> receive_all(net::Stream& stream, async::EventLoop& loop) {
  Received received;
  for (;;) {
    char octets[16];
    const net::Moved moved = stream.read(octets, sizeof octets);
    if (moved.state == net::Moved::State::kSome) {
      received.octets.append(octets, moved.octets);
      continue;
    }
    received.end = moved.state;
    if (moved.state != net::Moved::State::kWouldBlock) break;
    const bool ready = co_await stream.readable(Deadline::never());
    if (!ready) break;
  }
  loop.stop();
  co_return received;
}

TEST_F(ConnectionPoolTest, ACutConnectionIsReadToABrokenEndWhichNobodyTakesForTheOrigins) {
  UniqueFd peer;
  const auto connection = used_connection(peer);
  ASSERT_EQ(::send(peer.value(), "part", 4, 0), 4);
  async::Task<Received> receiving = receive_all(connection->stream(), loop_);
  target_.cut();
  loop_.run();
  const Received received = receiving.take();
  EXPECT_EQ(received.octets, "part");
  EXPECT_EQ(received.end, net::Moved::State::kBroken);
}

}   // namespace
}   // namespace proxyd::upstream
