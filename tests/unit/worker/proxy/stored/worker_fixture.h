#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "shared/cache/cache.h"
#include "worker/net/text_content.h"
#include "worker/proxy/stored/shared_cache.h"
#include "worker/upstream/incoming.h"

namespace proxyd::proxy {

// An exchange with an origin of which the test hands the content over itself, or the text that is all of it.
class Unasked final : public upstream::Exchange {
 public:
  Unasked(async::EventLoop& loop, std::string_view text) : text_(loop, text) {}

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
  net::ContentSource& response_content() override { return text_; }
  bool complete() const override { return false; }
  bool on_reused_connection() const override { return false; }
  bool request_untaken() const override { return false; }
  async::Signal& when_cut() override { return cut_; }

 private:
  http::Arena arena_;
  http::ResponseHead head_{arena_};
  async::Signal cut_;
  net::TextContent text_;
};

// A worker's way into a cache of its own, and a target that nobody is connected with. The loop's time stands still
// until a test runs it.
class WorkerTest : public testing::Test {
 protected:
  WorkerTest()
      : region_(std::move(cache::create_region(64u << 20)).value()),
        view_(cache::view_of(region_)),
        cache_(view_, 0, 1),
        shared_(loop_, cache_, wakes_) {}

  Log log_{2, "test"};
  upstream::Services services() {
    return {loop_, buffers_, pipes_, status_, 0, log_, metrics_.cell(0, "unsolicited", "")};
  }
  upstream::Incoming incoming(std::string_view text = {}) {
    return {std::make_unique<Unasked>(loop_, text), upstream::InFlight(target_)};
  }
  // While they are held nothing finds room in the cache.
  void hold_classes() {
    for (cache::SizeClass& one : view_.superblock().classes)
      ASSERT_NE(one.lock.acquire(), memory::RobustMutex::Outcome::busy);
  }
  void release_classes() {
    for (cache::SizeClass& one : view_.superblock().classes) one.lock.release();
  }

  memory::Region region_;
  cache::RegionView view_;
  cache::Cache cache_;
  async::EventLoop loop_;
  memory::WakeDescriptors wakes_ = std::move(*memory::WakeDescriptors::create());
  SharedCache shared_;
  net::BufferPool buffers_;
  net::PipePool pipes_;
  status::StatusRegion status_ = std::move(*status::StatusRegion::create());
  metrics::MetricsRegion metrics_ = std::move(*metrics::MetricsRegion::create());
  const std::shared_ptr<upstream::Target> target_ = std::make_shared<upstream::Target>(services(), 0, "127.0.0.1:1");
};

}   // namespace proxyd::proxy
