#include "shared/config/tls_name.h"

#include "shared/config/endpoint.h"

namespace proxyd::config {
namespace {

std::string without_port(std::string_view authority) {
  if (const auto service = service_name(authority)) return std::string(domain_of(*service));
  if (authority.starts_with("unix:") || authority.starts_with('[')) return {};
  const size_t colon = authority.rfind(':');
  return std::string(authority.substr(0, colon));
}

bool is_name(std::string_view host) {
  const bool address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return !host.empty() && !address;
}

}   // namespace

std::string tls_name(const Upstream& upstream, const Target& target) {
  if (upstream.tls && upstream.tls->sni) return *upstream.tls->sni;
  const bool named = upstream.host != "keep" && upstream.host != "target";
  for (const std::string& host : {named ? without_port(upstream.host) : std::string(), without_port(target.address)}) {
    if (is_name(host)) return host;
  }
  return {};
}

}   // namespace proxyd::config
