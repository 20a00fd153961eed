#pragma once

#include <memory>
#include <optional>

#include "worker/async/frame_pool.h"
#include "worker/http1/head_parser.h"
#include "worker/http2/stream.h"
#include "worker/net/connection_list.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::upstream {

class Http2Connection;

// A request on an HTTP/2 connection to a target, and its response. Shares the connection with others and takes its
// place on it from the beginning, its stream when the head is sent. Content is read from where it lies in the stream,
// which is the flow control, and written straight into the connection's output. Memory comes from the frame pool.
class Http2Exchange final : public Exchange {
 public:
  Http2Exchange(std::shared_ptr<Target> target, Http2Connection& connection, const http1::HeadRules& rules);
  Http2Exchange(const Http2Exchange&) = delete;
  Http2Exchange& operator=(const Http2Exchange&) = delete;
  ~Http2Exchange() override;
  static void* operator new(size_t size) { return async::FramePool::of_this_thread().allocate(size); }
  static void operator delete(void* memory, size_t size) { async::FramePool::of_this_thread().release(memory, size); }

  bool begin(const Request& request) override;
  net::ContentSink& content() override { return sink_; }
  Fault receive_head() override;
  const http::ResponseHead& response() const override { return *response_; }
  http::ResponseHead& response() override { return *response_; }
  http::Refusal refusal() const override { return refusal_; }
  size_t fault_offset() const override { return 0; }
  std::string_view received_head() const override { return {}; }   // it came compressed
  bool has_unread() const override { return unread_; }
  async::WaitReady readable(Deadline deadline) override;
  net::ContentSource& response_content() override { return content_; }
  bool complete() const override { return has_response_ && stream_->received_all() && stream_->content().empty(); }
  bool on_reused_connection() const override { return reused_; }
  bool request_untaken() const override;
  async::Signal& when_cut() override { return cut_; }

  // For the connection: what the session tells of the stream; that the connection is over, perhaps because somebody
  // here has cut it; that there is room in its output.
  void hear(http2::News news);
  void hear_end(bool cut);
  void wake_for_room();

 private:
  friend class Http2Connection;
  friend class net::ConnectionList<Http2Exchange>;

  class Content final : public net::ContentSource {
   public:
    explicit Content(Http2Exchange& exchange) : exchange_(exchange) {}
    net::Offer offer(net::PieceKinds kinds) override;
    void consumed(uint64_t octets) override;
    void ran_dry() override {}
    void ended_while_spliced() override {}
    async::WaitReady more(Deadline deadline) override { return exchange_.readable(deadline); }
    bool all_here() const override { return exchange_.stream_->received_all(); }
    const http::Fields* trailers() const override { return exchange_.stream_->trailers(); }

   private:
    Http2Exchange& exchange_;
  };

  class Sink final : public net::ContentSink {
   public:
    explicit Sink(Http2Exchange& exchange) : exchange_(exchange) {}
    net::PieceKinds accepts() const override { return net::PieceKinds::kBytes | net::PieceKinds::kStored; }
    net::Taken take(const net::Piece& piece, bool last) override;
    net::Taken finish(const http::Fields* trailers) override;
    net::Taken flush() override;
    bool finished() const override { return exchange_.stream_ && exchange_.stream_->sent_all(); }
    // Its own octets, and those of the others while it waits for its turn.
    uint64_t delivered() const override { return exchange_.octets_sent_ + exchange_.passed_by(); }
    async::WaitReady room(Deadline deadline) override;

   private:
    Http2Exchange& exchange_;
  };

  bool gone() const;
  Fault ended();
  bool is_too_large(const http::ResponseHead& head) const;
  net::Taken blocked(uint64_t octets);
  uint64_t passed_by() const;

  std::shared_ptr<Target> target_;
  Http2Connection& connection_;
  http1::HeadRules rules_;
  http2::Stream* stream_ = nullptr;
  std::optional<http::ResponseHead> response_;   // the one received last
  async::Signal arrived_;                        // a head, content, its end, or the stream's
  async::Signal room_;
  async::Signal cut_;
  Content content_{*this};
  Sink sink_{*this};
  net::ConnectionLinks<Http2Exchange> links_;   // among the connection's
  uint64_t octets_sent_ = 0;
  uint64_t begins_at_ = 0;    // octets of the connection before its head
  uint64_t passed_ = 0;       // octets of others in former waits for room
  uint64_t waits_from_ = 0;   // what had arrived at the target when this wait began
  uint64_t turn_ = 0;         // when it began to wait for room
  http::Refusal refusal_ = http::Refusal::kNone;
  bool reused_;
  bool has_head_ = false;       // final, in the stream
  bool has_response_ = false;   // … and taken
  bool unsent_ = false;         // the target says that it has not looked at the request
  bool unread_ = false;
  bool finishing_ = false;
  bool awaits_room_ = false;     // of the connection's output
  bool awaits_window_ = false;   // of the target's
};

}   // namespace proxyd::upstream
