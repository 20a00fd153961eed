#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"
#include "worker/downstream/exchange.h"
#include "worker/http1/head_parser.h"
#include "worker/net/address.h"
#include "worker/tls/server_context.h"

namespace proxyd::downstream {

// What holds for connections before a route is known, from `defaults` and the listener.
struct Settings {
  http1::HeadRules head;
  Waits waits;
  config::MaybeSize max_connections;
  config::ProxyProtocol proxy_protocol = config::ProxyProtocol::kOff;
  std::function<bool(const net::Address&)> trusts;   // of trusted_proxies
  std::shared_ptr<const tls::ServerContext> tls;     // null: cleartext
  config::Protocols protocols;
};

// What the last answer's route says, and the listener's generation of waits when that request began.
struct RouteWaits {
  Waits waits;
  uint64_t generation = 0;
};

// A listener as its connections see it. Owned by the acceptor and by each connection, so it outlives both; a new
// snapshot changes `settings` in place, and a connection takes what holds at each request.
struct Listener {
  // Nobody listens for it any more: its connections end with their requests.
  bool gone = false;
  // … but this one does, where it did: its connections are that one's.
  std::shared_ptr<Listener> successor;
  std::string name;
  Settings settings;
  uint64_t waits_generation = 1;   // another, of all listeners, whenever `settings.waits` has become another
  uint64_t open = 0;
  const metrics::MetricsRegion* metrics = nullptr;   // where all workers count what they have open …
  std::optional<uint32_t> open_row;                  // … and in which row; none: there was no room for it

  // Of the workers in the first `slots` slots together.
  uint64_t open_everywhere(uint32_t slots) const {
    if (!open_row) return open;   // of this worker alone
    uint64_t sum = 0;
    for (uint32_t slot = 0; slot < slots; ++slot) sum += metrics->value(slot, *open_row);
    return sum;
  }
  metrics::Cell opened_total;
  metrics::Cell open_gauge;
};

}   // namespace proxyd::downstream
