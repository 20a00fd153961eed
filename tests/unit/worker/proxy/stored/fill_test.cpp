#include "worker/proxy/stored/fill.h"

#include "tests/unit/worker/proxy/stored/worker_fixture.h"

namespace proxyd::proxy {
namespace {

using Took = net::Taken::State;

class FillTest : public WorkerTest {
 protected:
  std::unique_ptr<Fill> fill_of(uint64_t length) {
    cache::FillLock lock = cache_.begin_fill("k", 0, 0);
    EXPECT_EQ(lock.filler.set_head(cache::Head{.length = length}), cache::Written::ok);
    return std::make_unique<Fill>(shared_, std::move(lock.filler), incoming(), limits_, 0);
  }

  const Fill::Limits limits_{.relay = {.source = Pace({}, 0), .sink = Pace({}, 0)}};
  const std::string content_ = std::string(100'000, 'x');
};

async::Task<void> wait_for_room(Fill& fill, async::EventLoop& loop) {
  async::WaitReady room = fill.room(Deadline::never());
  const bool ready = co_await room;
  EXPECT_FALSE(ready) << "it is to be tried";
  loop.stop();
}

TEST_F(FillTest, GoesOnWhenALockOfTheCacheIsFreeAgain) {
  const auto fill = fill_of(content_.size());
  hold_classes();
  net::Taken taken = fill->take(net::Piece::bytes(content_), false);
  EXPECT_EQ(taken.state, Took::kBlocked);
  EXPECT_EQ(taken.octets, 0u);
  const async::Task<void> waits = wait_for_room(*fill, loop_);
  loop_.run();
  EXPECT_TRUE(waits.done());
  release_classes();
  taken = fill->take(net::Piece::bytes(content_), false);
  EXPECT_EQ(taken.state, Took::kMore);
  EXPECT_EQ(taken.octets, content_.size());
  EXPECT_EQ(fill->finish(nullptr).state, Took::kMore);
}

TEST_F(FillTest, EndsWhenALockOfTheCacheStaysBusy) {
  const auto fill = fill_of(content_.size());
  hold_classes();
  int tries = 1;
  while (tries < 1000 && fill->take(net::Piece::bytes(content_), false).state == Took::kBlocked) ++tries;
  EXPECT_GT(tries, 1);
  EXPECT_LT(tries, 1000);
  release_classes();
}

}   // namespace
}   // namespace proxyd::proxy
