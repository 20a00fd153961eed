#pragma once

#include <cstdint>
#include <utility>

#include "worker/downstream/connections.h"
#include "worker/downstream/exchange.h"
#include "worker/http1/head_parser.h"
#include "worker/message/content_reader.h"
#include "worker/message/content_writer.h"
#include "worker/message/input.h"

namespace proxyd::downstream {

// A request on an HTTP/1 connection and its answer. Lies in the connection's `serve` frame for as long as they last.
class Http1Exchange final : public Exchange {
 public:
  struct Context {
    net::Stream& stream;
    net::BufferPool& buffers;
    net::PipePool& pipes;
    const Peer& peer;
    const Connections& connections;   // which may begin to drain meanwhile
    const Listener& listener;         // … or go
    RouteWaits& waits;                // of the connection, which the answer's route sets
  };

  Http1Exchange(const Context& context, const http1::HeadRules& rules, message::Input& input)
      : context_(context),
        waits_generation_(context.listener.waits_generation),
        input_(input),
        request_(arena_),
        parser_(request_, rules),
        reader_(context.stream, input, context.buffers, arena_, rules.underscore),
        writer_(context.stream, context.buffers, context.pipes),
        content_(*this) {}

  // For the connection, which receives the head: looks at what has arrived.
  http1::Progress parse();
  void rebase(std::string_view from, const char* to) { parser_.rebase(from, to); }
  // The head did not arrive in time.
  void refuse(http::Refusal refusal);

  const http::RequestHead& request() const override { return request_; }
  http::Fields& request_fields() override { return request_.fields; }
  http1::Fault fault() const override { return fault_; }
  const Peer& peer() const override { return context_.peer; }
  std::string_view received_head() const override { return received_head_; }
  http::Arena& arena() override { return arena_; }

  net::ContentSource& content() override { return content_; }
  bool awaits_continue() const override;
  http::Refusal content_refusal() const override { return reader_.refusal(); }
  std::string_view content_fault() override { return reader_.fault_octets(); }
  uint64_t content_received() const override { return reader_.received(); }

  void send_interim(const http::ResponseHead& head) override;
  bool begin(const Answer& answer) override;
  bool begun() const override { return begun_; }
  net::ContentSink& sink() override { return writer_; }
  void reset() override;
  uint64_t octets_sent() const override { return writer_.sent(); }

  // Whether octets have moved, either way, since the last look.
  bool has_moved() {
    const uint64_t seen = std::exchange(moved_, octets_sent() + content_received());
    return moved_ != seen;
  }

  // After the handler: what the connection may do next.
  bool was_reset() const { return reset_; }
  bool answered() const { return begun_ && writer_.finished(); }
  bool persistent() const { return persistent_; }
  bool is_tunnel() const { return tunnel_; }
  message::ContentReader& reader() { return reader_; }
  message::ContentWriter& writer() { return writer_; }

 private:
  // The reader as the handler sees it: the first look sends 100 (Continue) to a client that waits for it.
  class Content final : public net::ContentSource {
   public:
    explicit Content(Http1Exchange& exchange) : exchange_(exchange) {}
    net::Offer offer(net::PieceKinds kinds) override {
      if (exchange_.awaits_continue()) exchange_.send_continue();
      return exchange_.reader_.offer(kinds);
    }
    void consumed(uint64_t octets) override { exchange_.reader_.consumed(octets); }
    void ran_dry() override { exchange_.reader_.ran_dry(); }
    void ended_while_spliced() override { exchange_.reader_.ended_while_spliced(); }
    async::WaitReady more(Deadline deadline) override { return exchange_.reader_.more(deadline); }
    bool all_here() const override { return exchange_.reader_.all_here(); }
    const http::Fields* trailers() const override { return exchange_.reader_.trailers(); }

   private:
    Http1Exchange& exchange_;
  };

  http1::Progress parse_head();
  void send_continue();
  // Whether the request's content is all here, after taking in what can be had without waiting.
  bool content_is_settled();
  bool is_persistent(const Answer& answer);
  http::ContentLength framing_for(const Answer& answer) const;

  Context context_;
  const uint64_t waits_generation_;   // when it began
  message::Input& input_;
  http::Arena arena_;
  http::RequestHead request_;
  http1::RequestParser parser_;
  http1::Fault fault_;
  std::string_view received_head_;
  message::ContentReader reader_;
  message::ContentWriter writer_;
  Content content_;
  uint64_t moved_ = UINT64_MAX;
  bool client_persists_ = false;
  bool continue_sent_ = false;
  bool begun_ = false;
  bool persistent_ = false;
  bool tunnel_ = false;
  bool reset_ = false;
};

}   // namespace proxyd::downstream
