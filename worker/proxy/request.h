#pragma once

#include <memory>
#include <span>

#include "worker/caching/reason.h"
#include "worker/caching/url.h"
#include "worker/downstream/exchange.h"
#include "worker/proxy/access_log.h"
#include "worker/proxy/configuration.h"
#include "worker/proxy/intermediary_fields.h"
#include "worker/proxy/proxy.h"
#include "worker/proxy/proxy_error.h"
#include "worker/proxy/relay/throttle.h"
#include "worker/routing/request_facts.h"

namespace proxyd::proxy {

inline constexpr std::string_view kStrictTransportSecurity = "Strict-Transport-Security";

// What a request asks for; a route with raw_path has it as it was sent. `route` may be null.
caching::Url url_of(const routing::RequestFacts& facts, const routing::RouteEntry* route);

// A request on its way through the proxy: what is known of it, and the record that it leaves. Lies in the frame of the
// request's path; however that ends (an answer, an abandoned client, an exception), its destructor counts and logs the
// request exactly once.
class Request {
 public:
  enum class Kind : uint8_t { kOfClient, kInBackground };   // the latter is neither counted nor logged
  Request(Proxy& proxy, downstream::Exchange& exchange, Kind kind = Kind::kOfClient);
  // One of our own on behalf of a client's, which outlives it: for the same by the same configuration.
  Request(Request& of_client, downstream::Exchange& own);
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
  const downstream::Peer& peer;
  routing::RequestFacts facts;
  routing::Matched matched;
  Identity identity;
  const Instant began;
  Deadline total = Deadline::never();          // the route's, and what the client itself waits
  Deadline shared_total = Deadline::never();   // the route's alone: of what others read as well
  upstream::Balancer::Belongs belongs;         // at which target, once its upstream is known
  int status = 0;                              // of the final answer
  std::string_view error;                      // token
  int attempts = 0;
  std::optional<std::chrono::microseconds> first_byte;
  std::optional<std::chrono::microseconds> queued;   // in line for a target
  std::optional<std::chrono::microseconds> connect;

  http::Arena& arena() { return arena_; }
  async::EventLoop& loop() { return proxy.loop(); }
  caching::Url url() const { return url_of(facts, matched.route); }
  std::chrono::microseconds age() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(proxy.loop().now() - began);
  }
  const config::Timeouts& timeouts() const;
  // The head of an answer, with the document's edits. False when it can't be sent.
  bool begin_answer(int status, std::string_view reason, http::Fields& fields, http::ContentLength content, bool close);
  // The same of lines that are ready, where the document edits nothing.
  bool begin_stored(int status, std::span<const std::string_view> lines, http::ContentLength content);
  // The value of Strict-Transport-Security that the answer is to have; nothing: none (RFC 6797 7.2: never by http).
  std::string_view hsts() const {
    const bool due = matched.host && facts.scheme == http::Scheme::kHttps;
    return due ? std::string_view(matched.host->hsts) : std::string_view();
  }
  bool edits_answer() const { return !response_edits().empty(); }
  // What the origin is asked with in place of the client's own fields; null: those. They live as long as the request.
  void ask_with(const http::Fields* fields) { origin_fields_ = fields; }
  const http::Fields& fields_for_origin() const { return origin_fields_ ? *origin_fields_ : head.fields; }
  // What answers of our own carry beside; it lives as long as the answer is made.
  void answer_with(const http::Fields* fields) { answer_fields_ = fields; }
  const http::Fields* answer_fields() const { return answer_fields_; }
  // Where its client's requests at once are counted; it is given back when this goes.
  void hold(limits::ClientRows::Place place) { place_ = place; }
  // An origin is to be asked for it: true the first time, for a client that is still to be answered.
  bool begin_origin() {
    const bool first = kind_ == Kind::kOfClient && !asked_origin_ && !exchange.begun();
    asked_origin_ = true;
    return first;
  }
  // What holds back its answer's content; null: nothing.
  Throttle* throttle();
  void note_cache(CacheResult result, caching::Reason reason) {
    cache_ = result;
    cache_reason_ = reason;
  }
  void fail(ProxyError why) { error = token_of(why); }
  // Counts a refused message and keeps it for /rejects; `received` begins where `offset` counts from.
  void note_refusal(http::Refusal refusal, size_t offset, std::string_view received);
  // Keeps a response that was no HTTP.
  void note_bad_response(std::string_view reason, size_t offset, std::string_view received);

 private:
  const RouteCells& cells() const;
  AccessRecord record() const;
  int64_t began_ms() const { return proxy.wall_clock_ms() - age().count() / 1000; }
  const routing::FieldEdits& response_edits() const;

  http::Arena& arena_;   // the exchange's
  Kind kind_;
  const http::Fields* origin_fields_ = nullptr;
  const http::Fields* answer_fields_ = nullptr;
  limits::ClientRows::Place place_;
  std::optional<Throttle> throttle_;
  CacheResult cache_ = CacheResult::kNone;
  caching::Reason cache_reason_ = caching::Reason::kNone;
  bool resolved_ = false;
  bool asked_origin_ = false;
  char fresh_id_[32];
};

}   // namespace proxyd::proxy
