#pragma once

#include <string>
#include <string_view>

#include "worker/downstream/exchange.h"
#include "worker/net/text_content.h"

namespace proxyd::proxy {

// A request of our own: a copy of a client's, made to ask the origin for what the cache lacks. Owned by the task that
// asks. It answers nobody.
class OwnExchange final : public downstream::Exchange, private net::ContentSink {
 public:
  // Of a GET without content, or HEAD, which becomes GET.
  OwnExchange(async::EventLoop& loop, const downstream::Exchange& model);
  // The same for a part of what is asked for, without a condition.
  OwnExchange(async::EventLoop& loop, const downstream::Exchange& model, std::string_view range);

  const http::RequestHead& request() const override { return head_; }
  http::Fields& request_fields() override { return head_.fields; }
  http1::Fault fault() const override { return {}; }
  const downstream::Peer& peer() const override { return peer_; }
  std::string_view received_head() const override { return {}; }
  http::Arena& arena() override { return arena_; }
  net::ContentSource& content() override { return nothing_; }
  bool awaits_continue() const override { return false; }
  http::Refusal content_refusal() const override { return http::Refusal::kNone; }
  std::string_view content_fault() override { return {}; }
  uint64_t content_received() const override { return 0; }
  void send_interim(const http::ResponseHead&) override {}
  bool begin(const downstream::Answer&) override { return false; }
  bool begun() const override { return false; }
  net::ContentSink& sink() override { return *this; }
  void reset() override {}
  uint64_t octets_sent() const override { return 0; }

 private:
  net::PieceKinds accepts() const override { return net::PieceKinds::kBytes; }
  net::Taken take(const net::Piece&, bool) override { return {net::Taken::State::kFailed}; }
  net::Taken finish(const http::Fields*) override { return {net::Taken::State::kFailed}; }
  net::Taken flush() override { return {net::Taken::State::kMore}; }
  bool finished() const override { return false; }
  uint64_t delivered() const override { return 0; }
  async::WaitReady room(Deadline deadline) override { return {loop_, never_, deadline}; }

  void copy(const http::RequestHead& head, uint64_t unwanted);

  async::EventLoop& loop_;
  async::Signal never_;
  http::Arena arena_;
  http::RequestHead head_;
  downstream::Peer peer_;
  std::string listener_;
  net::TextContent nothing_;
};

}   // namespace proxyd::proxy
