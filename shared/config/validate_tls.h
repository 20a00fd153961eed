#pragma once

#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What no single key of certificates, of protocols and tls, of force_https and client_auth can say.
// Whether a certificate is any good is the master's to say, which reads it. Adds to `findings`. A value; any process.
void validate_tls(const Document& document, FindingsList& findings);

}   // namespace proxyd::config
