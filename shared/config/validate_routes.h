#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// The rules of one host's routes: names, one action each, references, exclusive keys, groups that templates name, and
// warnings for those that are never reached. `json` is the host's canonical JSON.
void validate_routes(const Document& document, const Host& host, const Json& json, FindingsList& findings);

// A template outside a route with path_regex that names a group of it. `level` is canonical JSON of defaults or a host.
void validate_templates(const Json& level, const std::string& pointer, FindingsList& findings);

}   // namespace proxyd::config
