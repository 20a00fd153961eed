#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// The rules of one host's routes: names, one action each, references, exclusive keys, what holds on the way, and
// warnings for those that are never reached. `json` is the host's canonical JSON.
void validate_routes(const Document& document, const Host& host, const Json& json, FindingsList& findings);

}   // namespace proxyd::config
