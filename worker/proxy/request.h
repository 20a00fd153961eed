#pragma once

#include <memory>

#include "worker/downstream/exchange.h"
#include "worker/proxy/access_log.h"
#include "worker/proxy/configuration.h"
#include "worker/proxy/intermediary_fields.h"
#include "worker/proxy/proxy.h"
#include "worker/proxy/proxy_error.h"
#include "worker/routing/request_facts.h"

namespace proxyd::proxy {

// A request on its way through the proxy: what is known of it, and the record that it leaves. Lies in the frame of the
// request's path; however that ends (an answer, an abandoned client, an exception), its destructor counts and logs the
// request exactly once.
class Request {
 public:
  Request(Proxy& proxy, downstream::Exchange& exchange);
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();

  // Who asks for what, trusted proxies taken into account. Before it only a refusal can be answered, with what the
  // connection alone says.
  void resolve();

  Proxy& proxy;
  downstream::Exchange& exchange;
  const std::shared_ptr<const Configuration> configuration;
  const http::RequestHead& head;
  routing::RequestFacts facts;
  routing::Matched matched;
  Identity identity;
  AccessRecord record;
  const Instant began;
  Deadline total = Deadline::never();

  http::Arena& arena() { return exchange.arena(); }
  async::EventLoop& loop() { return proxy.loop(); }
  const config::Timeouts& timeouts() const;
  // The head of an answer, with the document's edits. False when it can't be sent.
  bool begin_answer(int status, std::string_view reason, http::Fields& fields, http::ContentLength content, bool close);
  void fail(ProxyError error) { record.error = token_of(error); }
  // Counts a refused message and keeps it for /rejects; `received` begins where `offset` counts from.
  void note_refusal(http::Refusal refusal, size_t offset, std::string_view received);

 private:
  const RouteCells& cells() const;
  void edit_response(http::Fields& fields) const;

  bool resolved_ = false;
  char fresh_id_[32];
  char parent_id_[16];
  std::array<char, 48> client_text_;
};

}   // namespace proxyd::proxy
