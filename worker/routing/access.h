#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/config/model.h"
#include "worker/http/target.h"

namespace proxyd::routing {

// An access list of the document, compiled once a snapshot: the longest prefix that holds the client decides; in
// neither list: denied if there is an `allow`. Immutable; owned by the configuration. To ask costs one binary search,
// however many networks there are, and allocates nothing.
class AccessList {
 public:
  using Address = std::array<uint8_t, 16>;   // IPv4 mapped

  explicit AccessList(const config::AccessList& settings);

  struct Verdict {
    bool allowed = true;
    std::string_view network;   // that decided, as the document writes it; empty: the client is in neither list
  };
  Verdict decide(const Address& client) const;
  bool admits(const Address& client) const { return decide(client).allowed; }
  const std::string& name() const { return name_; }

 private:
  // From this address on, up to the next one's, one network decides.
  struct Stretch {
    Address from{};
    uint32_t network = 0;   // index in networks_; the last one: none
  };
  struct Network {
    std::string text;
    bool allowed = true;
  };

  std::string name_;
  std::vector<Network> networks_;
  std::vector<Stretch> stretches_;   // by address; the first begins at zero
};

// Whether a route that guards its paths would have to guess: an encoded slash, backslash or NUL is a path to one server
// and a name to another.
inline bool is_ambiguous(const config::Route& route, const http::Target& target) {
  return target.has_encoded_separator && (!route.access.empty() || !route.auth.empty());
}

}   // namespace proxyd::routing
