#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// Who may ask, how often and how much, from canonical JSON.
AccessList read_access_list(const std::string& name, const Json& json);
RateLimit read_rate_limit(const std::string& name, const Json& json);
Bandwidth read_bandwidth(const Json& json);

}   // namespace proxyd::config
