#include "worker/proxy/request.h"

#include <algorithm>
#include <exception>

#include "worker/routing/client.h"

namespace proxyd::proxy {
namespace {

std::array<uint8_t, 16> mapped(const net::Address& address) {
  if (address.family() != net::Address::Family::kIpv4) return address.octets();
  std::array<uint8_t, 16> octets{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  std::copy_n(address.octets().begin(), 4, octets.begin() + 12);
  return octets;
}

int64_t microseconds_between(Instant from, Instant to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

}   // namespace

Request::Request(Proxy& the_proxy, downstream::Exchange& the_exchange)
    : proxy(the_proxy),
      exchange(the_exchange),
      configuration(the_proxy.configuration()),
      head(the_exchange.request()),
      began(the_proxy.loop().now()) {
  proxy.request_began();
  record.time_ms = proxy.wall_clock_ms();
  record.client = exchange.peer().address.format_ip(client_text_);
  record.method = head.method_text;
  record.worker = proxy.slot();
  record.revision = configuration->snapshot.revision;
  record.host_name = record.route = "_rejected";
  record.protocol = head.version == http::Version::kHttp10 ? "HTTP/1.0" : "HTTP/1.1";
  identity.request_id = proxy.random_hex(fresh_id_, sizeof fresh_id_);
  record.request_id = facts.request_id = identity.request_id;
  facts.head = &head;
  facts.listener = exchange.peer().listener;
  facts.scheme = exchange.peer().scheme;
  facts.client_text = facts.peer_text = record.client;
}

void Request::resolve() {
  resolved_ = true;
  const downstream::Peer& peer = exchange.peer();
  const routing::Client client =
      routing::resolve_client(mapped(peer.address), record.client, peer.scheme, head, configuration->trusted_proxies);
  const http::Authority authority = client.authority.value_or(head.authority);
  facts.scheme = client.scheme;
  facts.host = authority.host;
  facts.port = authority.port != 0 ? authority.port : http::default_port(client.scheme);
  facts.client = client.address;
  facts.client_text = client.text;
  facts.from_trusted_proxy = client.through_trusted_proxy;
  identity = identify(head.fields, client.through_trusted_proxy, {fresh_id_, sizeof fresh_id_},
                      proxy.random_hex(parent_id_, sizeof parent_id_), arena());
  facts.request_id = identity.request_id;
  record.request_id = identity.request_id;
  record.trace_id = identity.trace_id;
  record.client = client.text;
  record.host = facts.host;
  record.path = head.target.path;
  record.query = head.target.query;
  record.referer = head.fields.value(http::FieldName::kReferer);
  record.user_agent = head.fields.value(http::FieldName::kUserAgent);
  record.host_name = record.route = "_none";
}

const config::Timeouts& Request::timeouts() const {
  return matched.route ? matched.route->settings.timeouts : configuration->document.timeouts;
}

void Request::edit_response(http::Fields& fields) const {
  const routing::FieldEdits& edits = matched.route  ? matched.route->response_edits
                                     : matched.host ? matched.host->response_edits
                                                    : configuration->matcher.default_response_edits();
  if (!edits.empty()) edits.apply(fields, facts);
}

bool Request::begin_answer(int status, std::string_view reason, http::Fields& fields, http::ContentLength content,
                           bool close) {
  edit_response(fields);
  record.status = status;
  if (record.first_byte_us < 0) record.first_byte_us = microseconds_between(began, loop().now());
  return exchange.begin({status, reason, &fields, content, close});
}

const RouteCells& Request::cells() const {
  if (matched.route) return configuration->routes[matched.route->index];
  if (matched.host) return configuration->hosts[matched.host->index];
  return resolved_ ? configuration->none : configuration->rejected;
}

void Request::note_refusal(http::Refusal refusal, size_t offset, std::string_view received) {
  proxy.count_reject(refusal);
  proxy.record_reject(
      {record.time_ms, false, record.client, http::to_string(refusal), static_cast<uint32_t>(offset), received});
}

Request::~Request() {
  proxy.request_ended();
  if (record.status == 0) {   // an exception passes by, or nobody was left to answer
    const bool broken = std::uncaught_exceptions() > 0;
    record.status = broken ? 500 : 499;
    if (record.error.empty()) fail(broken ? ProxyError::kInternalError : ProxyError::kClientGone);
  }
  record.bytes_in = exchange.content_received();
  record.bytes_out = exchange.octets_sent();
  record.duration_us = microseconds_between(began, proxy.loop().now());
  RouteCells counters = cells();
  counters.by_class[static_cast<size_t>(std::clamp(record.status / 100, 1, 5) - 1)].add();
  counters.duration.observe_microseconds(static_cast<uint64_t>(std::max<int64_t>(record.duration_us, 0)));
  counters.bytes_in.add(record.bytes_in);
  counters.bytes_out.add(record.bytes_out);
  if (AccessLog* log = proxy.access_log()) log->append(record);
}

}   // namespace proxyd::proxy
