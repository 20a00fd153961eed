#include "worker/proxy/proxy.h"

#include <vector>

#include "tests/unit/worker/proxy/proxy_fixture.h"

namespace proxyd::proxy {
namespace {

class PurgesToldToTheMaster : public ProxyTest {
 protected:
  PurgesToldToTheMaster() {
    proxy_.on_purge([this](const nlohmann::json& record) { told_.push_back(record); });
  }
  // Purges of that many numbers from 0 on.
  void purge(int count) {
    for (int i = 0; i < count; ++i) proxy_.record_purge(i);
  }
  std::vector<nlohmann::json> told_;
};

TEST_F(PurgesToldToTheMaster, AreTheFirstTwentyOfASecond) {
  purge(1000);
  ASSERT_EQ(told_.size(), 20u);
  EXPECT_EQ(told_.back(), 19);
}

async::Task<void> pass_a_second(async::EventLoop& loop) {
  co_await async::Sleep(loop, Deadline::after(loop.now(), milliseconds(1000)));
  loop.stop();
}

TEST_F(PurgesToldToTheMaster, AreAsManyAgainInTheNext) {
  purge(1000);
  const async::Task<void> passes = pass_a_second(loop_);
  loop_.run();
  purge(1000);
  EXPECT_EQ(told_.size(), 40u);
}

}   // namespace
}   // namespace proxyd::proxy
