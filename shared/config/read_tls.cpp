#include "shared/config/read_tls.h"

#include <algorithm>

#include "shared/config/json_read.h"

namespace proxyd::config {

using Strings = std::vector<std::string>;

Certificate read_certificate(const std::string& name, const Json& json) {
  Certificate certificate{.name = name};
  certificate.certificate_file = value_or(json, "certificate_file", certificate.certificate_file);
  certificate.private_key_file = value_or(json, "private_key_file", certificate.private_key_file);
  certificate.uploaded = value_or(json, "uploaded", certificate.uploaded);
  return certificate;
}

ClientAuth read_client_auth(const Json& json) {
  const bool requests = value_or<std::string>(json, "mode", "require") == "request";
  return {value_or(json, "ca_file", std::string()), requests ? ClientAuthMode::kRequest : ClientAuthMode::kRequire};
}

ForceHttps read_force_https(const Json& json) {
  ForceHttps force;
  force.status = value_or(json, "status", force.status);
  force.hsts = duration_or(json, "hsts", force.hsts);
  return force;
}

ListenerTls read_listener_tls(const Json& json) {
  ListenerTls tls;
  tls.certificates = value_or(json, "certificates", Strings());
  tls.default_certificate = maybe<std::string>(json, "default_certificate");
  const bool takes_any = value_or<std::string>(json, "unknown_sni", "refuse") == "default";
  tls.unknown_sni = takes_any ? UnknownSni::kDefault : UnknownSni::kRefuse;
  const bool newest = value_or<std::string>(json, "min_version", "1.2") == "1.3";
  tls.min_version = newest ? TlsVersion::k13 : TlsVersion::k12;
  tls.ciphers = maybe<std::string>(json, "ciphers");
  tls.session_tickets = value_or(json, "session_tickets", tls.session_tickets);
  if (const Json* client_auth = member(json, "client_auth")) tls.client_auth = read_client_auth(*client_auth);
  return tls;
}

UpstreamTls read_upstream_tls(const Json& json) {
  return {.sni = maybe<std::string>(json, "sni"),
          .verify = value_or(json, "verify", true),
          .ca_file = maybe<std::string>(json, "ca_file"),
          .certificate_file = maybe<std::string>(json, "certificate_file"),
          .private_key_file = maybe<std::string>(json, "private_key_file")};
}

UpstreamProtocol read_upstream_protocol(const Json& upstream) {
  const auto word = value_or<std::string>(upstream, "protocol", "h1");
  if (word == "h2") return UpstreamProtocol::kH2;
  if (word == "h2c") return UpstreamProtocol::kH2c;
  return word == "auto" ? UpstreamProtocol::kAuto : UpstreamProtocol::kH1;
}

Protocols read_protocols(const Json& listener) {
  if (!member(listener, "protocols")) return {.h1 = true, .h2 = member(listener, "tls") != nullptr};
  const Strings said = value_or(listener, "protocols", Strings());
  const auto speaks = [&said](const char* protocol) {
    return std::find(said.begin(), said.end(), protocol) != said.end();
  };
  return {.h1 = speaks("h1"), .h2 = speaks("h2"), .h2c = speaks("h2c")};
}

}   // namespace proxyd::config
