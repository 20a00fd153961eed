#pragma once

#include <string>
#include <string_view>

#include "shared/config/model.h"

namespace proxyd::config {

// Where Debian keeps the authorities that a machine believes in: those of upstreams without a `ca_file`.
inline constexpr std::string_view kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

// The name that a target is asked for and verified by: the upstream's `tls.sni`, else its `host` if that is a name,
// else the target's own. Empty: there is none, for an address is no name.
std::string tls_name(const Upstream& upstream, const Target& target);

}   // namespace proxyd::config
