#pragma once

#include "worker/async/frame_pool.h"
#include "worker/async/signal.h"
#include "worker/downstream/exchange.h"
#include "worker/http2/stream.h"
#include "worker/net/connection_list.h"

namespace proxyd::downstream {

class Http2Connection;

// A request on an HTTP/2 connection and its answer. Owned by its connection, with the task that answers it; it goes
// when that ends, or is cancelled when the client resets the stream. Content is read from where it lies in the stream
// and written straight into the connection's output: nothing of it is kept here. Memory comes from the frame pool.
class Http2Exchange final : public Exchange, private async::Wakeup {
 public:
  Http2Exchange(Http2Connection& connection, http2::Stream& stream);
  Http2Exchange(const Http2Exchange&) = delete;
  Http2Exchange& operator=(const Http2Exchange&) = delete;
  ~Http2Exchange() override;
  static void* operator new(size_t size) { return async::FramePool::of_this_thread().allocate(size); }
  static void operator delete(void* memory, size_t size) { async::FramePool::of_this_thread().release(memory, size); }

  // For the connection. Runs the handler until it waits for the first time; the exchange may not outlive that.
  void start();
  // What the session tells of the stream, but for its head and its end by a reset.
  void hear(http2::News news);
  // It may take content again, as far as the connection's output is concerned.
  void wake_for_room();
  http2::Stream& stream() { return stream_; }

  const http::RequestHead& request() const override { return stream_.request(); }
  http::Fields& request_fields() override { return stream_.request().fields; }
  http1::Fault fault() const override { return {stream_.refusal(), 0}; }
  const Peer& peer() const override;
  std::string_view received_head() const override { return {}; }   // it came compressed
  http::Arena& arena() override { return stream_.arena(); }

  net::ContentSource& content() override { return content_; }
  bool awaits_continue() const override;
  http::Refusal content_refusal() const override { return stream_.refusal(); }
  std::string_view content_fault() override { return {}; }
  uint64_t content_received() const override { return stream_.content_received(); }

  void send_interim(const http::ResponseHead& head) override;
  bool begin(const Answer& answer) override;
  bool begun() const override { return begun_; }
  net::ContentSink& sink() override { return sink_; }
  void reset() override;
  uint64_t octets_sent() const override { return octets_sent_; }

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
    async::WaitReady more(Deadline deadline) override;
    bool all_here() const override { return exchange_.stream_.received_all(); }
    const http::Fields* trailers() const override { return exchange_.stream_.trailers(); }

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
    bool finished() const override { return exchange_.stream_.sent_all(); }
    // Its own octets, and those of the others while it waits for its turn.
    uint64_t delivered() const override { return exchange_.octets_sent_ + exchange_.passed_by(); }
    async::WaitReady room(Deadline deadline) override;

   private:
    Http2Exchange& exchange_;
  };

  void ended();
  net::Taken blocked(uint64_t octets);
  uint64_t passed_by() const;

  Http2Connection& connection_;
  http2::Stream& stream_;
  async::Task<void> task_;
  async::Signal arrived_;   // content, its end, or the stream's
  async::Signal room_;
  Content content_{*this};
  Sink sink_{*this};
  net::ConnectionLinks<Http2Exchange> links_;   // among the connection's
  uint64_t octets_sent_ = 0;
  uint64_t passed_ = 0;       // octets of others in former waits for room
  uint64_t waits_from_ = 0;   // what had arrived at the client when this wait began
  Instant waits_since_{};
  bool continue_sent_ = false;
  bool begun_ = false;
  bool finishing_ = false;
  uint64_t turn_ = 0;            // when it was woken for room
  bool awaits_room_ = false;     // of the connection's output
  bool awaits_window_ = false;   // of the client's
};

}   // namespace proxyd::downstream
