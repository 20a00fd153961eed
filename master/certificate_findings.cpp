#include "master/certificate_findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/base/clock.h"

namespace proxyd::master {
namespace {

using Warnings = std::vector<config::Problem>;

// Whether the listener has one for that name, but for the one called `but`.
bool has_one(const config::Document& document, const config::Listener& listener, const Certificates& certificates,
             const std::string& host_name, std::string_view but = {}) {
  const auto served = certificates_of(document, listener);
  return std::any_of(served.begin(), served.end(), [&](const std::string& name) {
    const auto found = certificates.find(name);
    return name != but && found != certificates.end() && covers(found->second->facts, host_name);
  });
}

// One for each name, wherever else it lacks a certificate: nobody wants the same ten times.
void warn_of_names(const config::Document& document, const config::Host& host, const Certificates& certificates,
                   Warnings& warnings) {
  for (size_t i = 0; i < host.names.size(); ++i) {
    const std::string& name = host.names[i];
    if (name == "*") continue;
    for (const auto& [listener_name, listener] : document.listeners) {
      if (!listener.tls || !is_served_by(host, listener) || has_one(document, listener, certificates, name)) continue;
      warnings.push_back({fmt::format("/hosts/{}/names/{}", host.name, i), 0, 0, "no-certificate",
                          fmt::format("listener '{}' has no certificate for '{}'", listener_name, name), ""});
      break;
    }
  }
}

}   // namespace

std::vector<std::string> certificates_of(const config::Document& document, const config::Listener& listener) {
  if (!listener.tls) return {};
  if (!listener.tls->certificates.empty()) return listener.tls->certificates;
  std::vector<std::string> all;
  for (const auto& [name, certificate] : document.certificates) all.push_back(name);
  return all;
}

bool is_served_by(const config::Host& host, const config::Listener& listener) {
  return host.listeners.empty() ||
         std::find(host.listeners.begin(), host.listeners.end(), listener.name) != host.listeners.end();
}

std::vector<std::string> certificate_users(const config::Document& document, const Certificates& certificates,
                                           const std::string& name) {
  std::vector<std::string> users;
  for (const auto& [listener_name, listener] : document.listeners) {
    if (!listener.tls) continue;
    const auto& named = listener.tls->certificates;
    if (std::find(named.begin(), named.end(), name) != named.end() || listener.tls->default_certificate == name)
      users.push_back("listeners/" + listener_name);
  }
  for (const auto& [host_name, host] : document.hosts) {
    const auto needs_it = [&](const std::string& one) {
      return std::any_of(document.listeners.begin(), document.listeners.end(), [&](const auto& entry) {
        const config::Listener& listener = entry.second;
        return listener.tls && is_served_by(host, listener) && has_one(document, listener, certificates, one) &&
               !has_one(document, listener, certificates, one, name);
      });
    };
    if (std::any_of(host.names.begin(), host.names.end(), needs_it)) users.push_back("hosts/" + host_name);
  }
  return users;
}

Warnings certificate_warnings(const config::Document& document, const Certificates& certificates,
                              std::chrono::system_clock::time_point now) {
  Warnings warnings;
  for (const auto& [name, certificate] : certificates) {
    const CertificateFacts& facts = certificate->facts;
    const auto warn = [&warnings, &name](const char* code, const std::string& what) {
      warnings.push_back({fmt::format("/certificates/{}", name), 0, 0, code, what, ""});
    };
    if (facts.not_after <= now)
      warn("certificate-expired", fmt::format("certificate '{}' expired at {}", name, rfc3339(facts.not_after)));
    if (facts.not_before > now)
      warn("certificate-early", fmt::format("certificate '{}' holds from {} on only", name, rfc3339(facts.not_before)));
    if (!certificate->ocsp_fault.empty())
      warn("ocsp-not-stapled",
           fmt::format("certificate '{}': its OCSP response {}; none is stapled", name, certificate->ocsp_fault));
  }
  for (const auto& [name, host] : document.hosts) warn_of_names(document, host, certificates, warnings);
  return warnings;
}

}   // namespace proxyd::master
