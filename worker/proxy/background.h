#pragma once

#include "shared/cache/fill.h"
#include "worker/downstream/exchange.h"
#include "worker/net/text_content.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// A request that nobody waits for the answer of: a copy of a client's, made to ask the origin in its place. Owned by
// the task that asks. It answers nobody.
class BackgroundExchange final : public downstream::Exchange, private net::ContentSink {
 public:
  // Of a GET without content, or HEAD, which becomes GET.
  BackgroundExchange(async::EventLoop& loop, const downstream::Exchange& model);

  const http::RequestHead& request() const override { return head_; }
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

  async::EventLoop& loop_;
  async::Signal never_;
  http::Arena arena_;
  http::RequestHead head_;
  downstream::Peer peer_;
  std::string listener_;
  net::TextContent nothing_;
};

// Asks the origin, on a condition, for what a request was given though it is stale (RFC 5861 3). Nothing when somebody
// else does, or when so much is asked for in the background already.
void validate_in_background(Request& request);
// Goes on fetching what a dead worker was fetching, from where it stopped (cache.md 5).
void resume_in_background(Request& request, cache::Filler filler);

}   // namespace proxyd::proxy
