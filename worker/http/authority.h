#pragma once

#include <cstdint>
#include <string_view>

#include "shared/base/result.h"
#include "worker/http/arena.h"
#include "worker/http/refusal.h"

namespace proxyd::http {

// Host and port of a Host field, `:authority` or absolute target (RFC 9110 4.2, 7.2): the host in lower case, without
// a final dot, an IPv6 address with its brackets; port 0 when none was given. Views into the message.
struct Authority {
  std::string_view host;
  uint16_t port = 0;
  std::string_view with_port;   // "host:port", where the message has it in this form; else empty

  bool operator==(const Authority& other) const { return host == other.host && port == other.port; }

  // A port that is the scheme's own says the same as none.
  bool names_same(const Authority& other, uint16_t default_port) const {
    const auto port_of = [default_port](const Authority& one) { return one.port == 0 ? default_port : one.port; };
    return host == other.host && port_of(*this) == port_of(other);
  }
};

// Refuses user information, lists, anything that is no host, and a port beyond 65535.
Result<Authority, Refusal> parse_authority(std::string_view text, Arena& arena);

}   // namespace proxyd::http
