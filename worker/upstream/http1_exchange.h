#pragma once

#include <memory>

#include "worker/async/frame_pool.h"
#include "worker/http1/head_parser.h"
#include "worker/message/content_reader.h"
#include "worker/message/content_writer.h"
#include "worker/message/input.h"
#include "worker/upstream/connection.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

// A request on an HTTP/1 connection to a target, and its response. Owns the connection while it lasts; memory comes
// from the frame pool, so that a request in the steady state allocates nothing.
class Http1Exchange final : public Exchange {
 public:
  Http1Exchange(std::shared_ptr<Target> target, std::unique_ptr<Connection> connection, const http1::HeadRules& rules);
  ~Http1Exchange() override;
  static void* operator new(size_t size) { return async::FramePool::of_this_thread().allocate(size); }
  static void operator delete(void* memory, size_t size) { async::FramePool::of_this_thread().release(memory, size); }

  bool begin(const Request& request) override;
  net::ContentSink& content() override { return writer_; }
  Fault receive_head() override;
  const http::ResponseHead& response() const override { return *response_; }
  http::ResponseHead& response() override { return *response_; }
  http::Refusal refusal() const override { return refusal_; }
  size_t fault_offset() const override { return fault_offset_; }
  std::string_view received_head() const override { return input_.unread(); }
  bool has_unread() const override { return !input_.empty(); }
  async::WaitReady readable(Deadline deadline) override { return connection_->stream().readable(deadline); }
  net::ContentSource& response_content() override { return *reader_; }
  bool complete() const override { return reader_ && reader_->complete(); }
  bool on_reused_connection() const override { return reused_; }
  bool request_untaken() const override { return writer_.delivered() == 0; }
  async::Signal& when_cut() override { return connection_->tcp().when_cut(); }

 private:
  enum class Step : uint8_t { kHead, kNeedMore, kRefused };

  Fault receive();
  Step parse();
  Step check_head();
  bool announces_content_it_cannot_have() const;
  Fault ended() const;
  bool make_room();
  bool can_be_reused() const;

  std::shared_ptr<Target> target_;
  std::unique_ptr<Connection> connection_;
  http1::HeadRules rules_;
  http::Arena arena_;
  message::Input input_;
  message::ContentWriter writer_;
  std::optional<http::ResponseHead> response_;
  std::optional<http1::ResponseParser> parser_;
  std::optional<message::ContentReader> reader_;   // once the final head is there
  uint64_t head_octets_ = 0;
  http::Method method_ = http::Method::kGet;
  http::Refusal refusal_ = http::Refusal::kNone;
  size_t fault_offset_ = 0;
  int interim_heads_ = 0;
  bool asked_to_upgrade_ = false;
  bool persistent_ = false;
  bool reused_ = false;
};

}   // namespace proxyd::upstream
