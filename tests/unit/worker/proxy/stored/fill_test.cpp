#include "worker/proxy/stored/fill.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace proxyd::proxy {
namespace {

using Took = net::Taken::State;

// An exchange of which the test hands the content over itself.
class Unasked final : public upstream::Exchange {
 public:
  bool begin(const upstream::Request&) override { return false; }
  net::ContentSink& content() override { std::abort(); }
  upstream::Fault receive_head() override { return upstream::Fault::kPending; }
  const http::ResponseHead& response() const override { return head_; }
  http::ResponseHead& response() override { return head_; }
  http::Refusal refusal() const override { return {}; }
  size_t fault_offset() const override { return 0; }
  std::string_view received_head() const override { return {}; }
  bool has_unread() const override { return false; }
  async::WaitReady readable(Deadline) override { std::abort(); }
  net::ContentSource& response_content() override { std::abort(); }
  bool complete() const override { return false; }
  bool on_reused_connection() const override { return false; }
  bool request_untaken() const override { return false; }
  async::Signal& when_cut() override { return cut_; }
  http::Arena& arena() override { return arena_; }

 private:
  http::Arena arena_;
  http::ResponseHead head_{arena_};
  async::Signal cut_;
};

class FillTest : public testing::Test {
 protected:
  FillTest()
      : region_(std::move(cache::create_region(64u << 20)).value()),
        view_(cache::view_of(region_)),
        cache_(view_, 0, 1),
        shared_(loop_, cache_, wakes_, 0) {}

  std::unique_ptr<Fill> fill_of(uint64_t length) {
    cache::FillLock lock = cache_.begin_fill("k", 0, 0);
    EXPECT_EQ(lock.filler.set_head(cache::Head{.length = length}), cache::Written::ok);
    upstream::Incoming incoming{std::make_unique<Unasked>(), upstream::InFlight(target_)};
    return std::make_unique<Fill>(shared_, std::move(lock.filler), std::move(incoming), limits_, 0);
  }
  void hold_classes() {
    for (cache::SizeClass& one : view_.superblock().classes) ASSERT_NE(one.lock.acquire(), Outcome::busy);
  }
  void release_classes() {
    for (cache::SizeClass& one : view_.superblock().classes) one.lock.release();
  }

  using Outcome = memory::RobustMutex::Outcome;
  const Fill::Limits limits_{.relay = {.source = Pace({}, 0), .sink = Pace({}, 0)}};
  const std::string content_ = std::string(100'000, 'x');
  memory::Region region_;
  cache::RegionView view_;
  cache::Cache cache_;
  async::EventLoop loop_;
  cache::WakeDescriptors wakes_ = std::move(*cache::WakeDescriptors::create());
  SharedCache shared_;
  net::BufferPool buffers_;
  net::PipePool pipes_;
  status::StatusRegion status_ = std::move(*status::StatusRegion::create());
  metrics::MetricsRegion metrics_ = std::move(*metrics::MetricsRegion::create());
  const std::shared_ptr<upstream::Target> target_ = std::make_shared<upstream::Target>(
      upstream::Services{loop_, buffers_, pipes_, status_, 0, metrics_.cell(0, "unsolicited", "")}, 0,
      std::vector<std::string>{"127.0.0.1:1"});
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
