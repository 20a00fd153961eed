#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/config/model_values.h"

// Upstreams of the document as plain values; a part of `model.h`.
namespace proxyd::config {

struct Retry {
  int retries = 1;
  bool on_connect_error = true;
  bool on_reset_before_response = true;
  std::vector<int> on_statuses;   // of the response, as in "502"
  std::vector<std::string> methods = {"GET", "HEAD", "OPTIONS"};
  int budget_percent = 20;
  bool operator==(const Retry&) const = default;
};

struct Target {
  std::string id;
  std::string address;     // "host:port", "unix:/path", "srv:_http._tcp.name"
  uint32_t weight = 100;   // 0–10000
  bool backup = false;
  MaybeSize max_connections;
  std::optional<MaybeDuration> slow_start;   // none: the upstream's
  bool operator==(const Target&) const = default;
};

// Which addresses of a name are used, and for how long an answer is good.
enum class Family { kAny, kV4, kV6 };
struct Resolve {
  Family family = Family::kAny;
  Duration min_ttl = seconds(1);
  Duration max_ttl = seconds(300);
  auto operator<=>(const Resolve&) const = default;
};

struct Keepalive {
  uint64_t max_idle = 64;   // per target and worker
  MaybeDuration idle_timeout = seconds(60);
  MaybeSize max_requests = 10000;
  MaybeDuration max_age;
  bool operator==(const Keepalive&) const = default;
};

enum class Balance { kP2c, kRoundRobin, kLeastRequests, kConsistentHash };

// Whether targets are the document's, or come and go by the API.
enum class Membership { kDeclared, kDynamic };

// Requests of one client go to one target for as long as a cookie says its name.
struct Sticky {
  std::string cookie;
  MaybeDuration ttl;   // none: until the browser ends
  bool operator==(const Sticky&) const = default;
};

// Requests wait for room when all targets are at their max_connections.
struct Queue {
  uint64_t size = 100;   // how many, in all workers
  Duration wait = seconds(1);
  bool operator==(const Queue&) const = default;
};

struct StatusRange {
  int from = 200;
  int to = 399;
  bool operator==(const StatusRange&) const = default;
};

enum class CheckType { kHttp, kHttps, kTcp, kGrpc };

// How a target is asked whether it is well.
struct ActiveHealth {
  CheckType type = CheckType::kHttp;
  std::string path = "/";
  std::optional<std::string> host;   // of the check's request; none: the target's address
  std::optional<uint16_t> port;      // none: the target's own
  std::map<std::string, FieldValue> headers;
  std::string service;   // of grpc.health.v1
  std::vector<StatusRange> expect_status = {StatusRange{}};
  std::optional<std::string> expect_body;   // is found within the first 64 KiB
  Duration interval = seconds(5);
  Duration timeout = seconds(2);
  int rise = 2;
  int fall = 3;
  bool operator==(const ActiveHealth&) const = default;
};

// What requests tell of a target.
struct PassiveHealth {
  int failures = 5;   // in a row, within the window
  Duration window = seconds(10);
  std::optional<int> error_percent;   // of the requests in the window
  Duration eject_for = seconds(30);
  int max_ejected_percent = 50;
  bool operator==(const PassiveHealth&) const = default;
};

struct Health {
  std::optional<ActiveHealth> active;
  std::optional<PassiveHealth> passive = PassiveHealth{};
  bool operator==(const Health&) const = default;
};

// How targets are spoken to in TLS. The name that is verified: `tls_name`.
struct UpstreamTls {
  std::optional<std::string> sni;
  bool verify = true;
  std::optional<std::string> ca_file;   // none: the system's authorities
  std::optional<std::string> certificate_file;
  std::optional<std::string> private_key_file;
  bool operator==(const UpstreamTls&) const = default;
};

// What targets are spoken to in: HTTP/1.1; HTTP/2 chosen in the TLS handshake; HTTP/2 in cleartext by prior knowledge;
// or whichever of HTTP/2 and HTTP/1.1 the target chooses in the handshake.
enum class UpstreamProtocol { kH1, kH2, kH2c, kAuto };

struct Upstream {
  std::string name;
  Balance balance = Balance::kP2c;
  std::optional<RequestKey> hash_key;   // given with kConsistentHash, and then alone
  RequestKey hash_fallback = "client_ip";
  Membership membership = Membership::kDeclared;
  UpstreamProtocol protocol = UpstreamProtocol::kH1;
  std::map<std::string, Target> targets;   // by id
  std::optional<UpstreamTls> tls;          // none: cleartext
  std::string host = "keep";               // keep | target | a name
  Keepalive keepalive;
  Retry retry;
  Resolve resolve;
  Health health;
  std::optional<Queue> queue = Queue{};   // none: nobody waits
  MaybeDuration slow_start;
  std::optional<Sticky> sticky;
  std::optional<int> panic_threshold;   // percent of the targets that must be well; with fewer all are used
  bool operator==(const Upstream&) const = default;
};

}   // namespace proxyd::config
