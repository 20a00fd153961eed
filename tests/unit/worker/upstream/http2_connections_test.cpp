#include "worker/upstream/http2_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>

#include "tests/support/http2/peer.h"
#include "worker/upstream/connector.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {
namespace {

using Opened = Result<std::unique_ptr<Exchange>, Fault>;

// Servers of HTTP/2 behind a unix socket, which act when they are told to.
class Servers {
 public:
  struct One {
    One(UniqueFd connected, const http2::Settings& settings)
        : socket(std::move(connected)), peer(http2::Role::kServer, settings) {}
    UniqueFd socket;
    http2::Peer peer;
    bool ended = false;
  };

  explicit Servers(const std::string& path) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(socket_.value(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_.value(), 64), 0);
  }
  // Accepts, hears and says what there is.
  void act() {
    for (;;) {
      UniqueFd connected(::accept4(socket_.value(), nullptr, nullptr, SOCK_NONBLOCK));
      if (!connected) break;
      all.push_back(std::make_unique<One>(std::move(connected), settings));
    }
    for (const auto& one : all) {
      std::array<char, 16384> octets;
      ssize_t got = 0;
      while ((got = ::recv(one->socket.value(), octets.data(), octets.size(), 0)) > 0)
        one->peer.receive({octets.data(), static_cast<size_t>(got)});
      one->ended = one->ended || got == 0;
      const std::string said = one->peer.produce();
      if (!said.empty()) (void)::send(one->socket.value(), said.data(), said.size(), MSG_NOSIGNAL);
    }
  }
  size_t open() const {
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [](const auto& one) { return !one->ended; }));
  }

  http2::Settings settings;
  std::vector<std::unique_ptr<One>> all;

 private:
  UniqueFd socket_{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
};

class Http2ConnectionsTest : public testing::Test, private async::Wakeup {
 protected:
  Http2ConnectionsTest() : Wakeup([](Wakeup& self) { static_cast<Http2ConnectionsTest&>(self).look(); }) {}
  ~Http2ConnectionsTest() override {
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }

  std::shared_ptr<Target> target_at(const std::string& path) {
    Services services{loop_,    buffers_,        pipes_, status_, 0, log_, metrics_.cell(0, "unsolicited", ""),
                      &memory_, &words_.counters};
    auto target = std::make_shared<Target>(services, 0, "unix:" + path, nullptr, config::UpstreamProtocol::kH2c);
    const metrics::Cell cell = metrics_.cell(0, "counted", "");
    target->set_counters({.by_class = {}, .connected = cell, .connect_failed = cell, .reused = cell});
    return target;
  }
  async::Task<Opened> open(milliseconds wait = milliseconds(5000)) {
    return open_exchange(target_, {}, Use::kRequest, Deadline::at(loop_.now() + wait));
  }
  // Turns the loop, and the servers, until it is true.
  testing::AssertionResult comes_true(std::function<bool()> condition) {
    condition_ = std::move(condition);
    given_up_ = Deadline::at(std::chrono::steady_clock::now() + milliseconds(10'000));
    loop_.timers().arm(timer_, Deadline::at(loop_.now()));
    loop_.run();
    return condition_() ? testing::AssertionSuccess() : testing::AssertionFailure();
  }
  testing::AssertionResult all_done(std::vector<async::Task<Opened>>& tasks) {
    return comes_true(
        [&tasks] { return std::all_of(tasks.begin(), tasks.end(), [](auto& one) { return one.done(); }); });
  }
  std::unique_ptr<Exchange> opened() {
    async::Task<Opened> task = open();
    EXPECT_TRUE(comes_true([&task] { return task.done(); }));
    Opened result = task.take();
    EXPECT_TRUE(result.ok());
    return std::move(*result);
  }
  void ask(Exchange& exchange) {
    EXPECT_TRUE(exchange.begin({.method = http::Method::kGet,
                                .method_text = "GET",
                                .target = "/",
                                .host = "a.test",
                                .fields = &fields_,
                                .content = {}}));
    (void)exchange.content().finish(nullptr);
  }
  Fault fault_of(Exchange& exchange) {
    Fault fault = Fault::kPending;
    EXPECT_TRUE(comes_true([&] {
      fault = exchange.receive_head();
      return fault != Fault::kPending;
    }));
    return fault;
  }

  std::string folder_ = ::mkdtemp(std::string("/tmp/proxyd-unit-XXXXXX").data());
  std::string path_ = folder_ + "/socket";
  Servers servers_{path_};
  async::EventLoop loop_;
  net::BufferPool buffers_;
  net::PipePool pipes_;
  status::StatusRegion status_ = std::move(*status::StatusRegion::create());
  metrics::MetricsRegion metrics_ = std::move(*metrics::MetricsRegion::create());
  Log log_{2, "test"};
  http2::CountedMemory memory_;
  http2::CountersInMemory words_;
  http::Arena arena_;
  http::Fields fields_{arena_};
  std::shared_ptr<Target> target_ = target_at(path_);

 private:
  void look() {
    servers_.act();
    if (condition_() || given_up_.passed(loop_.now())) return loop_.stop();
    loop_.timers().arm(timer_, Deadline::at(loop_.now() + milliseconds(1)));
  }
  std::function<bool()> condition_;
  Deadline given_up_ = Deadline::never();
  async::Timer timer_{*this};
};

TEST_F(Http2ConnectionsTest, ThoseWhoWaitShareAConnection) {
  std::vector<async::Task<Opened>> tasks;
  for (int i = 0; i < 20; ++i) tasks.push_back(open());
  ASSERT_TRUE(all_done(tasks));
  EXPECT_EQ(servers_.all.size(), 1u);
  for (auto& task : tasks) EXPECT_TRUE(task.take().ok());
}

TEST_F(Http2ConnectionsTest, AFailureIsToldToAllWhoWait) {
  target_ = target_at(folder_ + "/nobody");
  std::vector<async::Task<Opened>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(open());
  ASSERT_TRUE(all_done(tasks));
  for (auto& task : tasks) {
    const Opened result = task.take();
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error(), Fault::kConnectionRefused);
  }
}

TEST_F(Http2ConnectionsTest, OneIsOpenedWhenTheOthersAreFullAndTheOldestIsFilledFirst) {
  servers_.settings.max_streams = 2;
  std::vector<async::Task<Opened>> tasks;
  for (int i = 0; i < 5; ++i) tasks.push_back(open());
  ASSERT_TRUE(all_done(tasks));
  EXPECT_EQ(servers_.all.size(), 3u);
  std::vector<std::unique_ptr<Exchange>> exchanges;
  for (auto& task : tasks) exchanges.push_back(std::move(*task.take()));
  EXPECT_TRUE(reuse_connection(target_, {}, Use::kRequest));   // the last one has room
  exchanges.erase(exchanges.begin(), exchanges.begin() + 2);
  exchanges.push_back(opened());
  EXPECT_EQ(servers_.all.size(), 3u);
}

TEST_F(Http2ConnectionsTest, WhoLeavesMakesRoomForWhoWaits) {
  servers_.settings.max_streams = 1;
  auto exchange = opened();
  servers_.settings.max_streams = 0;   // of the next
  async::Task<Opened> waiting = open();
  ASSERT_TRUE(comes_true([&] { return servers_.all.size() == 2; }));
  EXPECT_FALSE(waiting.done());
  exchange.reset();
  ASSERT_TRUE(comes_true([&] { return waiting.done(); }));
  EXPECT_TRUE(waiting.take().ok());
}

TEST_F(Http2ConnectionsTest, ATargetThatTakesNoStreamsIsWaitedForOnOneConnection) {
  servers_.settings.max_streams = 0;
  std::vector<async::Task<Opened>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(open(milliseconds(200)));
  ASSERT_TRUE(all_done(tasks));
  for (auto& task : tasks) EXPECT_EQ(task.take().error(), Fault::kNoStream);
  EXPECT_EQ(servers_.all.size(), 1u);
}

TEST_F(Http2ConnectionsTest, ARequestThatIsAbandonedBeforeItsHeadWasSentIsNeverSeen) {
  auto exchange = opened();
  EXPECT_TRUE(exchange->begin({.method = http::Method::kGet,
                               .method_text = "GET",
                               .target = "/never",
                               .host = "a.test",
                               .fields = &fields_,
                               .content = {}}));
  exchange.reset();
  auto next = opened();
  ask(*next);
  ASSERT_TRUE(comes_true([&] { return servers_.all[0]->peer.session->open_streams() > 0; }));
  const auto news = servers_.all[0]->peer.news();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].first->request().target.path, "/");
}

TEST_F(Http2ConnectionsTest, GoawayTellsWhoWasNotLookedAtAndTakesTheConnectionAlongWithTheLast) {
  auto kept = opened();
  auto lost = opened();
  ask(*kept);
  ask(*lost);
  auto& server = servers_.all;
  ASSERT_TRUE(comes_true([&] { return server[0]->peer.session->open_streams() == 2; }));
  const std::string goaway = http2::octets::frame(7, 0, 0, http2::octets::number(1, 4) + http2::octets::number(0, 4));
  ASSERT_EQ(::send(server[0]->socket.value(), goaway.data(), goaway.size(), 0), static_cast<ssize_t>(goaway.size()));
  EXPECT_EQ(fault_of(*lost), Fault::kGoingAway);
  EXPECT_TRUE(lost->request_untaken());
  EXPECT_FALSE(reuse_connection(target_, {}, Use::kRequest));
  for (const auto& [stream, news] : server[0]->peer.news()) {
    if (stream->id() == 1) stream->submit_head({.status = 200}, true);
  }
  EXPECT_EQ(fault_of(*kept), Fault::kNone);
  EXPECT_EQ(kept->response().status, 200);
  EXPECT_EQ(server.size(), 1u);
  lost.reset();
  kept.reset();
  EXPECT_TRUE(comes_true([&] { return servers_.open() == 0; }));
  EXPECT_EQ(status_.connections(0, 0), 0u);
}

TEST_F(Http2ConnectionsTest, ACutEndsWhatRunsAndWhoWaits) {
  servers_.settings.max_streams = 1;
  auto exchange = opened();
  ask(*exchange);
  servers_.settings.max_streams = 0;
  async::Task<Opened> waiting = open();
  ASSERT_TRUE(comes_true([&] { return servers_.all.size() == 2; }));
  target_->cut();
  EXPECT_EQ(fault_of(*exchange), Fault::kCut);
  EXPECT_TRUE(exchange->when_cut().is_set());
  ASSERT_TRUE(comes_true([&] { return waiting.done(); }));
  EXPECT_EQ(waiting.take().error(), Fault::kCutConnecting);
}

TEST_F(Http2ConnectionsTest, AConnectionThatBreaksLeavesItsRequestsUnanswered) {
  auto exchange = opened();
  ask(*exchange);
  ASSERT_TRUE(comes_true([&] { return servers_.all[0]->peer.session->open_streams() == 1; }));
  servers_.all.clear();
  EXPECT_EQ(fault_of(*exchange), Fault::kClosedUnanswered);
  EXPECT_FALSE(exchange->request_untaken());
  EXPECT_FALSE(exchange->on_reused_connection());
}

TEST_F(Http2ConnectionsTest, AConnectionThatBreaksBeforeAHeadLeftSaysNothingAboutTheRequest) {
  auto exchange = opened();
  EXPECT_FALSE(exchange->on_reused_connection());
  EXPECT_TRUE(exchange->begin({.method = http::Method::kPost,
                               .method_text = "POST",
                               .target = "/never",
                               .host = "a.test",
                               .fields = &fields_,
                               .content = {}}));
  servers_.all.clear();
  EXPECT_EQ(fault_of(*exchange), Fault::kGoingAway);
  EXPECT_TRUE(exchange->request_untaken());
}

TEST_F(Http2ConnectionsTest, ATargetThatIsNotUsedAnyMoreClosesWhatIsIdle) {
  opened().reset();
  ASSERT_TRUE(comes_true([&] { return servers_.open() == 1; }));
  target_->retire();
  EXPECT_TRUE(comes_true([&] { return servers_.open() == 0; }));
}

TEST_F(Http2ConnectionsTest, NoMoreIdleOnesAreKeptThanAllowed) {
  target_->set_limits({.max_idle = 1, .idle_timeout = milliseconds(60'000)});
  servers_.settings.max_streams = 1;
  std::vector<async::Task<Opened>> tasks;
  for (int i = 0; i < 3; ++i) tasks.push_back(open());
  ASSERT_TRUE(all_done(tasks));
  EXPECT_EQ(servers_.open(), 3u);
  for (auto& task : tasks) (*task.take()).reset();
  tasks.clear();
  EXPECT_TRUE(comes_true([&] { return servers_.open() == 1; }));
  EXPECT_EQ(status_.connections(0, 0), 1u);
}

TEST_F(Http2ConnectionsTest, ATunnelIsMadeOnHttp1Alone) {
  async::Task<Opened> task = open_exchange(target_, {}, Use::kTunnel, Deadline::never());
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take().error(), Fault::kNoTunnel);
}

}   // namespace
}   // namespace proxyd::upstream
