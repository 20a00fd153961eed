#pragma once

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// The typed model of canonical JSON that has no problems: defaults filled in, inheritance resolved.
Document build_model(const Json& canonical);

}   // namespace proxyd::config
