#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "worker/net/address.h"

namespace proxyd::net {

enum class ProxyHeaderKind : uint8_t { kNone = 0, kV1 = 1, kV2 = 2, kAny = 3 };

// What a PROXY protocol header (versions 1 and 2) at the beginning of a connection says. Engine code: no I/O.
struct ProxyHeader {
  enum class State : uint8_t { kNeedMore, kAbsent, kBad, kPresent };
  State state = State::kNeedMore;
  size_t octets = 0;   // of the header, when present
  // Absent for LOCAL and UNKNOWN: the connection speaks for itself.
  std::optional<Address> source;
  std::optional<Address> destination;
};

// `received` is what the connection has sent so far. kAbsent: this is no header of an accepted version. Bounded: a
// version 1 line has at most 107 octets, a version 2 header at most 2 KiB here.
ProxyHeader parse_proxy_header(std::string_view received, ProxyHeaderKind accepted);

}   // namespace proxyd::net
