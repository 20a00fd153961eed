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

enum class Balance { kP2c, kRoundRobin };

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
  UpstreamProtocol protocol = UpstreamProtocol::kH1;
  std::map<std::string, Target> targets;   // by id
  std::optional<UpstreamTls> tls;          // none: cleartext
  std::string host = "keep";               // keep | target | a name
  Keepalive keepalive;
  Retry retry;
  Resolve resolve;
  bool operator==(const Upstream&) const = default;
};

}   // namespace proxyd::config
