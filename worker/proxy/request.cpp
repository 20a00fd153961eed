#include "worker/proxy/request.h"

#include <algorithm>
#include <exception>

#include "worker/routing/client.h"

namespace proxyd::proxy {

Request::Request(Proxy& the_proxy, downstream::Exchange& the_exchange, Kind kind)
    : proxy(the_proxy),
      exchange(the_exchange),
      configuration(the_proxy.configuration()),
      head(the_exchange.request()),
      peer(the_exchange.peer()),
      began(the_proxy.loop().now()),
      arena_(the_exchange.arena()),
      kind_(kind) {
  if (kind_ == Kind::kOfClient) proxy.request_began();
  identity.request_id = facts.request_id = proxy.random_hex(fresh_id_, sizeof fresh_id_);
  facts.head = &head;
  facts.listener = peer.listener;
  facts.scheme = peer.scheme;
  facts.client_text = facts.peer_text = peer.text();
  if (peer.tls) {
    facts.tls_sni = peer.tls->server_name;
    facts.tls_client_subject = peer.tls->client_subject;
  }
}

Request::Request(Request& of_client, downstream::Exchange& own)
    : proxy(of_client.proxy),
      exchange(own),
      configuration(of_client.configuration),
      head(own.request()),
      peer(own.peer()),
      facts(of_client.facts),
      matched(of_client.matched),
      identity(of_client.identity),
      began(of_client.began),
      total(of_client.total),
      shared_total(of_client.shared_total),
      belongs(of_client.belongs),
      arena_(own.arena()),
      kind_(Kind::kInBackground),
      resolved_(true) {
  facts.head = &head;
}

void Request::resolve() {
  resolved_ = true;
  const routing::Client client =
      routing::resolve_client(peer.address().mapped(), peer.text(), peer.scheme, head, configuration->trusted_proxies);
  routing::take_client(facts, client, arena());
  identity = identify(head.fields, client.through_trusted_proxy, {fresh_id_, sizeof fresh_id_});
  facts.request_id = identity.request_id;
}

caching::Url url_of(const routing::RequestFacts& facts, const routing::RouteEntry* route) {
  const http::Target& target = facts.head->target;
  const bool raw = route && route->settings.raw_path;
  return {facts.scheme, facts.authority, raw ? target.raw_path() : target.path, target.query, target.has_query};
}

const config::Timeouts& Request::timeouts() const {
  return matched.route ? matched.route->settings.timeouts : configuration->document.timeouts;
}

const routing::FieldEdits& Request::response_edits() const {
  if (matched.route) return matched.route->response_edits;
  return matched.host ? matched.host->response_edits : configuration->matcher.default_response_edits();
}

bool Request::begin_answer(int answered, std::string_view reason, http::Fields& fields, http::ContentLength content,
                           bool close) {
  if (const std::string_view value = hsts(); !value.empty()) fields.set(kStrictTransportSecurity, value);
  const routing::FieldEdits& edits = response_edits();
  if (!edits.empty()) edits.apply(fields, facts);
  status = answered;
  if (!first_byte) first_byte = age();
  const downstream::Waits waits{timeouts().keepalive, timeouts().client_header, timeouts().client_write};
  return exchange.begin({status, reason, {}, &fields, content, close, &waits});
}

bool Request::begin_stored(int answered, std::span<const std::string_view> lines, http::ContentLength content) {
  status = answered;
  if (!first_byte) first_byte = age();
  const downstream::Waits waits{timeouts().keepalive, timeouts().client_header, timeouts().client_write};
  return exchange.begin({status, {}, lines, nullptr, content, false, &waits});
}

Throttle* Request::throttle() {
  if (!matched.route->settings.bandwidth) return nullptr;
  if (!throttle_) throttle_.emplace(*matched.route->settings.bandwidth);
  return &*throttle_;
}

const RouteCells& Request::cells() const {
  if (matched.route) return configuration->routes[matched.route->index];
  if (matched.host) return configuration->hosts[matched.host->index];
  return resolved_ ? configuration->none : configuration->rejected;
}

void Request::note_refusal(http::Refusal refusal, size_t offset, std::string_view received) {
  proxy.count_reject(refusal, head.version);
  proxy.record_reject(
      {began_ms(), false, facts.client_text, http::to_string(refusal), static_cast<uint32_t>(offset), received});
}

void Request::note_bad_response(std::string_view reason, size_t offset, std::string_view received) {
  proxy.record_reject({began_ms(), true, facts.target, reason, static_cast<uint32_t>(offset), received});
}

AccessRecord Request::record() const {
  const bool any_host = matched.host != nullptr;
  AccessRecord record{
      .time_ms = began_ms(),
      .request_id = identity.request_id,
      .trace_id = identity.trace_id,
      .client = facts.client_text,
      .protocol = to_string(head.version),
      .tls = peer.tls ? peer.tls->version : "",
      .host = facts.host,
      .method = head.method_text,
      .status = status,
      .bytes_in = exchange.content_received(),
      .bytes_out = exchange.octets_sent(),
      .duration_us = age().count(),
      .first_byte_us = first_byte ? first_byte->count() : -1,
      .queue_us = queued ? queued->count() : -1,
      .connect_us = connect ? connect->count() : -1,
      .host_name = any_host    ? std::string_view(matched.host->settings.name)
                   : resolved_ ? "_none"
                               : "_rejected",
      .upstream = facts.upstream,
      .target = facts.target,
      .attempts = attempts,
      .error = error,
      .cache = to_string(cache_),
      .cache_reason = cache_reason_ == caching::Reason::kNone ? "" : to_string(cache_reason_),
      .worker = proxy.slot(),
      .revision = configuration->snapshot.revision,
  };
  record.route = matched.route ? std::string_view(matched.route->settings.name) : resolved_ ? "_none" : "_rejected";
  if (!resolved_) return record;   // of a refused one no more than its connection tells
  record.path = head.target.path;
  record.query = head.target.query;
  record.referer = head.fields.value(http::FieldName::kReferer);
  record.user_agent = head.fields.value(http::FieldName::kUserAgent);
  return record;
}

Request::~Request() {
  if (kind_ == Kind::kInBackground) return;
  proxy.request_ended();
  limits::ClientRows::leave(place_);
  if (status == 0) {   // an exception passes by, or nobody was left to answer
    const bool broken = std::uncaught_exceptions() > 0;
    status = broken ? 500 : 499;
    if (error.empty()) fail(broken ? ProxyError::kInternalError : ProxyError::kClientGone);
  }
  const RouteCells& counters = cells();
  counters.by_class[static_cast<size_t>(std::clamp(status / 100, 1, 5) - 1)].add();
  counters.duration.observe_microseconds(static_cast<uint64_t>(std::max<int64_t>(age().count(), 0)));
  const uint64_t sent = exchange.octets_sent();
  if (cache_ != CacheResult::kNone) configuration->caches[matched.route->index].count(cache_, cache_reason_, sent);
  counters.bytes_in.add(exchange.content_received());
  counters.bytes_out.add(sent);
  if (AccessLog* log = proxy.access_log(); log && log->has_sinks()) log->append(record());
}

}   // namespace proxyd::proxy
