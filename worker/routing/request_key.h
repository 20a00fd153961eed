#pragma once

#include <array>
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
  bool is_client() const { return kind_ == Kind::kClient; }   // whom every request has
  // The request's value, of another kind: of a header the first line's. Empty when the request has none. Lives as long
  // as `facts`.
  std::string_view value(const RequestFacts& facts) const;
  bool is_in(const RequestFacts& facts) const { return is_client() || !value(facts).empty(); }

 private:
  Kind kind_ = Kind::kClient;
  std::string name_;
};

// What of an address tells one client from another: of IPv6 the network of 64 bits, for a client has all of its
// addresses.
uint64_t client_word(const std::array<uint8_t, 16>& mapped);

}   // namespace proxyd::routing
