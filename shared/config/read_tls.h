#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// Canonical JSON of what has to do with TLS as plain values. Values; any process.
Certificate read_certificate(const std::string& name, const Json& json);
ListenerTls read_listener_tls(const Json& json);
ClientAuth read_client_auth(const Json& json);
UpstreamTls read_upstream_tls(const Json& json);
UpstreamProtocol read_upstream_protocol(const Json& upstream);
ForceHttps read_force_https(const Json& json);
// Of a listener: what it says, else h2 and h1 with tls and h1 without.
Protocols read_protocols(const Json& listener);

}   // namespace proxyd::config
