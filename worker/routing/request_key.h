#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/config/model_values.h"
#include "worker/routing/request_facts.h"

namespace proxyd::routing {

// What of a request something is decided by: `client_ip`, `path`, `header:NAME`, `cookie:NAME`, `query:NAME`, compiled
// once a snapshot. Immutable. Nothing allocates.
class RequestKey {
 public:
  enum class Kind : uint8_t { kClient, kPath, kHeader, kCookie, kQuery };

  explicit RequestKey(const config::RequestKey& text);

  Kind kind() const { return kind_; }
  // The request's value: of a header the first line's; of the client the octets that tell it from others. Empty when
  // the request has none. Lives as long as `facts`.
  std::string_view value(const RequestFacts& facts) const;

 private:
  Kind kind_ = Kind::kClient;
  std::string name_;
};

// The octets of an address that tell one client from another: of IPv6 the network of 64 bits, for a client has all of
// its addresses.
std::string_view client_octets(const std::array<uint8_t, 16>& mapped);

}   // namespace proxyd::routing
