#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "shared/base/log.h"
#include "shared/config/model.h"
#include "shared/metrics/metrics_region.h"
#include "shared/status/status_region.h"
#include "worker/async/event_loop.h"
#include "worker/http2/counters.h"
#include "worker/http2/memory.h"
#include "worker/net/address.h"
#include "worker/net/buffer_pool.h"
#include "worker/net/pipe_pool.h"
#include "worker/tls/client_context.h"
#include "worker/upstream/connection_pool.h"
#include "worker/upstream/http2_connections.h"
#include "worker/upstream/passive_health.h"
#include "worker/upstream/waiting_line.h"

namespace proxyd::upstream {

// What connections to targets use; all of it belongs to the worker and outlives them.
struct Services {
  async::EventLoop& loop;
  net::BufferPool& buffers;
  net::PipePool& pipes;
  const status::StatusRegion& status;
  uint32_t slot;
  Log& log;
  metrics::Cell unsolicited;               // upstream_bad{reason="unsolicited"}
  http2::Memory* http2_memory = nullptr;   // needed where HTTP/2 is spoken, with the next
  const http2::Counters* http2_counters = nullptr;
};

// One member of an upstream, an address of a target, as this worker knows it: where it is, the connections to it, what
// is counted about it. It lives as long as a snapshot names it with the same row and address; a new snapshot takes it
// over with its connections. One thread.
class Target {
 public:
  struct Counters {
    metrics::Cell by_class[5];   // upstream_requests{class="1xx".."5xx"}
    metrics::Cell connected;
    metrics::Cell connect_failed;
    metrics::Cell reused;
  };

  // `address` empty: it is not known. `tls`: what its connections are secured with; null: cleartext.
  Target(Services services, uint32_t row, std::string address, std::shared_ptr<tls::ClientContext> tls = nullptr,
         config::UpstreamProtocol protocol = config::UpstreamProtocol::kH1);

  const std::optional<net::SocketAddress>& address() const { return address_; }
  const std::string& where() const { return where_; }   // the same, for people
  tls::ClientContext* tls() const { return tls_.get(); }
  config::UpstreamProtocol protocol() const { return protocol_; }
  // A handshake failed, or HTTP/2 is not spoken there: said in the log, at most every ten seconds.
  void note_failed_handshake(std::string_view why);
  void note_no_http2(std::string_view why);
  ConnectionPool& pool() { return pool_; }
  // Null: HTTP/2 is not asked for.
  Http2Connections* http2() { return http2_.get(); }
  void set_limits(const config::Keepalive& limits) { pool_.set_limits(limits); }
  // Closes what is idle, and what is not as soon as it is: nobody will use the target any more.
  void retire();
  // Ends what this worker's requests do at the target: they go on as when an origin breaks off.
  void cut();
  // A request found its attempt here ended by that.
  void count_cut();
  const Services& services() const { return services_; }
  uint32_t row() const { return row_; }
  uint32_t in_flight_everywhere() const { return services_.status.in_flight_sum(row_); }

  // What its requests tell, and who waits for room at it; null: nobody.
  void set_health(std::shared_ptr<const PassiveHealth> passive, std::shared_ptr<WaitingLine> line) {
    passive_ = std::move(passive);
    line_ = std::move(line);
  }
  void set_counters(const Counters& counters) { counters_ = counters; }
  Counters& counters() { return counters_; }

 private:
  friend class InFlight;
  bool may_note();

  Services services_;
  uint32_t row_;
  std::optional<net::SocketAddress> address_;
  std::string where_;
  std::shared_ptr<tls::ClientContext> tls_;
  config::UpstreamProtocol protocol_;
  Instant noted_{};
  ConnectionPool pool_;
  std::unique_ptr<Http2Connections> http2_;   // goes before the pool, which knows its connections
  Counters counters_;
  std::shared_ptr<const PassiveHealth> passive_;
  std::shared_ptr<WaitingLine> line_;
};

// Counts one request at a target for as long as it lives, where every worker sees it, and tells passive health what
// became of it.
class InFlight {
 public:
  // `trial`: of an ejected target; it was begun for this request.
  explicit InFlight(std::shared_ptr<Target> target, bool trial = false);
  InFlight(InFlight&& other) noexcept = default;
  InFlight& operator=(InFlight&& other) noexcept;
  ~InFlight();

  // An answer began as it should, which ends a trial. It counts when this goes, unless the rest of it fails.
  void answered() {
    if (sign_ == Sign::kNone) sign_ = Sign::kWell;
    if (trial_) end_trial();
  }
  // The target failed the request, once.
  void failed(status::Finding finding);

 private:
  enum class Sign : uint8_t { kNone, kWell, kFailed };
  void leave();
  void tell_end();
  void end_trial();
  std::shared_ptr<Target> target_;
  Sign sign_ = Sign::kNone;
  bool trial_ = false;
};

}   // namespace proxyd::upstream
