#include "worker/routing/client.h"

#include "shared/base/bytes.h"
#include "worker/http/forwarded.h"
#include "worker/http/list.h"

namespace proxyd::routing {

namespace {

using http::FieldName;

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", with or without quotes.
std::optional<std::string_view> address_in(std::string_view node) {
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"') node = node.substr(1, node.size() - 2);
  if (node.starts_with('[')) {
    const size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return node.substr(1, end - 1);
  }
  const size_t colon = node.find(':');
  const bool one_colon = colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
  return one_colon ? node.substr(0, colon) : node;
}

// The last member of a list and what is before it.
std::string_view take_last(std::string_view& list) {
  const size_t comma = list.rfind(',');
  const std::string_view last = http::trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(0, comma);
  return last;
}

std::optional<http::Scheme> scheme_of(std::string_view text) {
  if (equals_ignoring_case(text, "https")) return http::Scheme::kHttps;
  if (equals_ignoring_case(text, "http")) return http::Scheme::kHttp;
  return std::nullopt;
}

void walk_addresses(Client& client, std::string_view list, bool forwarded, const config::CidrList& trusted) {
  while (!list.empty() && trusted.holds(client.address)) {
    const std::string_view member = take_last(list);
    const auto text = address_in(forwarded ? http::forwarded_parameter(member, "for") : member);
    const auto address = text ? config::parse_mapped_address(*text) : std::nullopt;
    if (!address) return;
    client.address = *address;
    client.text = *text;
  }
}

// What the nearest proxy says of scheme and host: the last element. X-Forwarded-* go before Forwarded: most proxies set
// only the former, and hand on what a client wrote into the latter.
void take_scheme_and_host(Client& client, const http::RequestHead& head, std::string_view forwarded) {
  std::string_view proto_list = head.fields.combined(FieldName::kXForwardedProto);
  std::string_view host_list = head.fields.combined(FieldName::kXForwardedHost);
  std::string_view proto = take_last(proto_list);
  std::string_view host = take_last(host_list);
  if (!forwarded.empty()) {
    const std::string_view last = take_last(forwarded);
    if (proto.empty()) proto = http::forwarded_parameter(last, "proto");
    if (host.empty()) host = http::forwarded_parameter(last, "host");
  }
  if (const auto scheme = scheme_of(proto)) client.scheme = *scheme;
  if (host.empty()) return;
  const auto authority = http::parse_authority(host, head.fields.arena());
  if (authority) client.authority = *authority;
}

}   // namespace

Client resolve_client(const std::array<uint8_t, 16>& peer, std::string_view peer_text, http::Scheme scheme,
                      const http::RequestHead& head, const config::CidrList& trusted) {
  Client client{peer, peer_text, scheme, std::nullopt, false};
  if (trusted.empty() || !trusted.holds(peer)) return client;
  client.through_trusted_proxy = true;
  const std::string_view forwarded = head.fields.combined(FieldName::kForwarded);
  const std::string_view for_list = head.fields.combined(FieldName::kXForwardedFor);
  walk_addresses(client, for_list.empty() ? forwarded : for_list, for_list.empty(), trusted);
  take_scheme_and_host(client, head, forwarded);
  return client;
}

}   // namespace proxyd::routing
