#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "worker/http/head.h"
#include "worker/routing/client.h"

namespace proxyd::routing {

// What a request is once trusted proxies are taken into account: what matching, variables and the fields we set all
// use. Views into the exchange; a value of one request.
struct RequestFacts {
  const http::RequestHead* head = nullptr;
  std::string_view listener;
  http::Scheme scheme = http::Scheme::kHttp;
  std::string_view host;              // lower case, no port; empty in HTTP/1.0 without Host
  uint16_t port = 0;                  // as the client said it, or the scheme's
  std::string_view authority;         // host, with the port unless it is the scheme's
  std::array<uint8_t, 16> client{};   // IPv4 mapped
  std::string_view client_text;
  std::string_view peer_text;        // of the connection: the client, or the nearest trusted proxy
  bool from_trusted_proxy = false;   // the peer's forwarding fields are believed
  std::string_view tls_sni;          // empty in cleartext, or when the client asked for no name
  std::string_view tls_client_subject;
  std::string_view request_id;
  std::string_view upstream;   // once they are known
  std::string_view target;
  std::array<std::string_view, 10> captures{};   // groups of the route's path_regex; [0] the whole
};

// Fills in who asks for what: scheme, host, port and authority, the client. `authority` is that of the head where the
// trusted proxy named none.
void take_client(RequestFacts& facts, const Client& client, http::Arena& arena);

// The value of one cookie, query parameter: the first of that name; null data when absent.
std::string_view find_cookie(const http::Fields& fields, std::string_view name);
std::string_view find_query_parameter(std::string_view query, std::string_view name);

}   // namespace proxyd::routing
