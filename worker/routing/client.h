#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/config/cidr.h"
#include "worker/http/head.h"

namespace proxyd::routing {

// Who the client is and what it asked for, as far as trusted proxies say:
// the right-most address that is not trusted; scheme and host as the trusted proxy says, else as the connection does.
struct Client {
  std::array<uint8_t, 16> address{};   // IPv4 mapped
  std::string_view text;               // without port
  http::Scheme scheme = http::Scheme::kHttp;
  std::optional<http::Authority> authority;
  bool through_trusted_proxy = false;
};

// `peer` and its text are the connection's. A malformed entry ends the walk: what is behind it proves nothing.
Client resolve_client(const std::array<uint8_t, 16>& peer, std::string_view peer_text, http::Scheme scheme,
                      const http::RequestHead& head, const config::CidrList& trusted);

}   // namespace proxyd::routing
