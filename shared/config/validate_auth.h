#pragma once

#include <string>

#include "shared/config/findings.h"
#include "shared/config/json_read.h"

namespace proxyd::config {

// What no single key of the `auth` of defaults, of a host or of a route can say. Whether its file is any good is the
// master's to say, which reads it. A value; any process.
void validate_auth(const Json& level, const std::string& pointer, FindingsList& findings);

}   // namespace proxyd::config
