#include "shared/config/validate_tls.h"

#include <fmt/format.h>

#include <algorithm>

#include "shared/config/tls_name.h"

namespace proxyd::config {
namespace {

void validate_certificate(const Certificate& certificate, FindingsList& findings) {
  const std::string pointer = fmt::format("/certificates/{}", certificate.name);
  const bool has_file = !certificate.certificate_file.empty();
  const bool has_key = !certificate.private_key_file.empty();
  if (certificate.uploaded && (has_file || has_key))
    return findings.problem(pointer + "/uploaded", "exclusive",
                            "give either 'certificate_file' and 'private_key_file', or 'uploaded'");
  if (certificate.uploaded || (has_file && has_key)) return;
  const std::string missing = has_file  ? "key 'private_key_file' is missing: it goes with 'certificate_file'"
                              : has_key ? "key 'certificate_file' is missing: it goes with 'private_key_file'"
                                        : "give 'certificate_file' and 'private_key_file', or 'uploaded: true'";
  findings.problem(pointer, "missing", fmt::format("certificate '{}': {}", certificate.name, missing));
}

void validate_default(const Document& document, const ListenerTls& tls, const std::string& pointer,
                      FindingsList& findings) {
  const size_t served = tls.certificates.empty() ? document.certificates.size() : tls.certificates.size();
  if (!tls.default_certificate) {
    if (tls.unknown_sni == UnknownSni::kDefault && served > 1)
      findings.problem(pointer + "/unknown_sni", "missing",
                       "several certificates are served here: say in 'default_certificate' which of them is meant");
    return;
  }
  const std::string& name = *tls.default_certificate;
  findings.refer(document.certificates, name, pointer + "/default_certificate", "certificate");
  const auto& named = tls.certificates;
  if (named.empty() || std::find(named.begin(), named.end(), name) != named.end()) return;
  findings.problem(pointer + "/default_certificate", "reference",
                   fmt::format("certificate '{}' is none of those in 'certificates' beside it", name));
}

void validate_protocols(const Listener& listener, FindingsList& findings) {
  const std::string pointer = fmt::format("/listeners/{}/protocols", listener.name);
  if (listener.protocols.h2 && !listener.tls)
    findings.problem(pointer, "exclusive", "'h2' goes with tls; HTTP/2 without it, by prior knowledge, is 'h2c'");
  if (listener.protocols.h2c && listener.tls)
    findings.problem(pointer, "exclusive", "'h2c' goes without tls; with it HTTP/2 is 'h2'");
}

void validate_listener_tls(const Document& document, const Listener& listener, FindingsList& findings) {
  const std::string pointer = fmt::format("/listeners/{}/tls", listener.name);
  const ListenerTls& tls = *listener.tls;
  if (document.certificates.empty())
    findings.problem(
        pointer, "missing",
        fmt::format("listener '{}' has tls and the document no certificate; add one to 'certificates'", listener.name));
  for (size_t i = 0; i < tls.certificates.size(); ++i)
    findings.refer(document.certificates, tls.certificates[i], fmt::format("{}/certificates/{}", pointer, i),
                   "certificate");
  validate_default(document, tls, pointer, findings);
}

void validate_upstream_protocol(const Upstream& upstream, FindingsList& findings) {
  const std::string pointer = fmt::format("/upstreams/{}/protocol", upstream.name);
  const UpstreamProtocol protocol = upstream.protocol;
  if (protocol == UpstreamProtocol::kH2 && !upstream.tls)
    findings.problem(pointer, "exclusive", "'h2' goes with tls; HTTP/2 without it, by prior knowledge, is 'h2c'");
  if (protocol == UpstreamProtocol::kAuto && !upstream.tls)
    findings.problem(pointer, "exclusive",
                     "'auto' goes with tls, in whose handshake the target chooses; without it say 'h1' or 'h2c'");
  if (protocol == UpstreamProtocol::kH2c && upstream.tls)
    findings.problem(pointer, "exclusive", "'h2c' goes without tls; with it HTTP/2 is 'h2'");
}

void validate_upstream_tls(const Upstream& upstream, FindingsList& findings) {
  const UpstreamTls& tls = *upstream.tls;
  const std::string pointer = fmt::format("/upstreams/{}/tls", upstream.name);
  if (tls.certificate_file.has_value() != tls.private_key_file.has_value())
    findings.problem(pointer, "missing", "'certificate_file' and 'private_key_file' go together");
  if (!tls.verify) return;
  for (const auto& [id, target] : upstream.targets) {
    if (tls_name(upstream, target).empty())
      findings.problem(
          pointer, "missing",
          fmt::format("the certificate of target '{}' can't be verified: there is no name to verify it by; "
                      "say it in 'sni'",
                      id));
  }
}

void validate_force_https(const Host& host, FindingsList& findings) {
  if (!host.force_https) return;
  const int status = host.force_https->status;
  if (status <= 303 || status >= 307) return;
  findings.problem(fmt::format("/hosts/{}/force_https/status", host.name), "range",
                   fmt::format("{} must be 301, 302, 303, 307 or 308", status));
}

// Nobody is asked for a certificate without TLS, so such a host would be open to everyone there.
void validate_client_auth(const Document& document, const Host& host, FindingsList& findings) {
  const bool required = host.client_auth && host.client_auth->mode == ClientAuthMode::kRequire;
  if (!required || host.force_https) return;
  for (const auto& [name, listener] : document.listeners) {
    const bool serves =
        host.listeners.empty() || std::find(host.listeners.begin(), host.listeners.end(), name) != host.listeners.end();
    if (listener.tls || !serves) continue;
    return findings.problem(
        fmt::format("/hosts/{}/client_auth", host.name), "exclusive",
        fmt::format("host '{}' requires certificates of clients, and listener '{}' without tls would serve it to all: "
                    "leave that one out of 'listeners', or set 'force_https'",
                    host.name, name));
  }
}

}   // namespace

void validate_tls(const Document& document, FindingsList& findings) {
  for (const auto& [name, certificate] : document.certificates) validate_certificate(certificate, findings);
  for (const auto& [name, listener] : document.listeners) {
    validate_protocols(listener, findings);
    if (listener.tls) validate_listener_tls(document, listener, findings);
  }
  for (const auto& [name, upstream] : document.upstreams) {
    validate_upstream_protocol(upstream, findings);
    if (upstream.tls) validate_upstream_tls(upstream, findings);
  }
  for (const auto& [name, host] : document.hosts) {
    validate_force_https(host, findings);
    validate_client_auth(document, host, findings);
  }
}

}   // namespace proxyd::config
