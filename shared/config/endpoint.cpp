#include "shared/config/endpoint.h"

#include <algorithm>
#include <charconv>

#include "shared/config/cidr.h"

namespace proxyd::config {
namespace {

constexpr size_t kLongestUnixPath = 107;
constexpr size_t kLongestName = 253;

bool is_host_name(std::string_view host) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  };
  return host.size() <= kLongestName && std::all_of(host.begin(), host.end(), fits);
}

}   // namespace

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  if (text.starts_with("unix:")) {
    endpoint.kind = Kind::kUnix;
    endpoint.path = text.substr(5);
    const bool printable = std::none_of(endpoint.path.begin(), endpoint.path.end(),
                                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    const bool fits = endpoint.path.starts_with('/') && endpoint.path.size() <= kLongestUnixPath && printable;
    return fits ? std::optional(endpoint) : std::nullopt;
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (error != std::errc() || end != port.data() + port.size() || endpoint.port == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  endpoint.host = host;
  endpoint.host_is_address = parse_mapped_address(host).has_value();
  const bool ipv6 = host.find(':') != std::string_view::npos;
  if (ipv6 != bracketed || (ipv6 && !endpoint.host_is_address) || (!ipv6 && !is_host_name(host))) return std::nullopt;
  return endpoint;
}

}   // namespace proxyd::config
