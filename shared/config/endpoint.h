#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyd::config {

// Where to listen or to connect: "host:port", ":port" (any address), "[2001:db8::1]:port", "unix:/path".
struct Endpoint {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string host;   // without brackets; empty in ":port"
  uint16_t port = 0;
  std::string path;               // of a unix socket
  bool host_is_address = false;   // an IP address, not a name

  static std::optional<Endpoint> parse(std::string_view text);
};

// Of a target that is whatever its SRV records say: "_http._tcp.name" in "srv:_http._tcp.name". Nothing: it is no such.
std::optional<std::string_view> service_name(std::string_view address);
// Whose service it is: "name" of "_http._tcp.name".
std::string_view domain_of(std::string_view service);

}   // namespace proxyd::config
