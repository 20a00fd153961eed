#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// Canonical JSON of an upstream as a plain value. Values; any process.
Upstream read_upstream(const std::string& name, const Json& json);

}   // namespace proxyd::config
