#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// The rules of one host's routes: names, one action each, references, exclusive keys, groups that templates name, and
// warnings for those that are never reached. `json` is the host's canonical JSON.
void validate_routes(const Document& document, const Host& host, const Json& json, FindingsList& findings);

// What holds on the way, said in the defaults or in a host, whose canonical JSON `level` is: a template that names a
// group of a path_regex, which only a route has; limits of a head that come too late.
void validate_level(const Json& level, const Limits& defaults, const std::string& pointer, FindingsList& findings);

}   // namespace proxyd::config
