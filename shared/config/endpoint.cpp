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

// "_http", as RFC 2782 writes a service and a protocol.
bool is_underscored(std::string_view label) { return label.size() > 1 && label.size() < 64 && label.front() == '_'; }

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

std::optional<std::string_view> service_name(std::string_view address) {
  if (!address.starts_with("srv:")) return std::nullopt;
  const std::string_view name = address.substr(4);
  const size_t first = name.find('.');
  const size_t second = first == std::string_view::npos ? first : name.find('.', first + 1);
  const bool whole = second != std::string_view::npos && second + 1 < name.size() && is_host_name(name);
  const bool named =
      whole && is_underscored(name.substr(0, first)) && is_underscored(name.substr(first + 1, second - first - 1));
  return named ? std::optional(name) : std::nullopt;
}

std::string_view domain_of(std::string_view service) {
  return service.substr(service.find('.', service.find('.') + 1) + 1);
}

}   // namespace proxyd::config
