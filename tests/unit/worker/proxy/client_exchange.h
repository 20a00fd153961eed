#pragma once

#include <cstdlib>
#include <string_view>

#include "tests/unit/worker/caching/messages.h"
#include "worker/downstream/exchange.h"

namespace proxyd::proxy {

// A client's request as a test writes it, whose answer nobody sends.
class ClientExchange final : public downstream::Exchange, public caching::Messages {
 public:
  ClientExchange(caching::Lines lines, std::string_view method, std::string_view path)
      : head_(Messages::request(lines, method, path)) {
    peer_.listener = "main";
  }

  const http::RequestHead& request() const override { return head_; }
  http::Fields& request_fields() override { return head_.fields; }
  http1::Fault fault() const override { return {}; }
  const downstream::Peer& peer() const override { return peer_; }
  std::string_view received_head() const override { return {}; }
  http::Arena& arena() override { return Messages::arena(); }
  net::ContentSource& content() override { std::abort(); }
  bool awaits_continue() const override { return false; }
  http::Refusal content_refusal() const override { return http::Refusal::kNone; }
  std::string_view content_fault() override { return {}; }
  uint64_t content_received() const override { return 0; }
  void send_interim(const http::ResponseHead&) override {}
  bool begin(const downstream::Answer&) override { return false; }
  bool begun() const override { return false; }
  net::ContentSink& sink() override { std::abort(); }
  void reset() override {}
  uint64_t octets_sent() const override { return 0; }

 private:
  http::RequestHead head_;
  downstream::Peer peer_;
};

}   // namespace proxyd::proxy
