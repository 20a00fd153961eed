#pragma once

#include <string>

#include "shared/config/findings.h"
#include "shared/config/json_read.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What holds on the way, said in the defaults, a host or a route, whose canonical JSON `level` is:
// groups of a path_regex that templates name, of which there are `groups`; a rewrite that contradicts itself; a cache
// policy, an access list or a rate limit that is not there; and warnings for limits of a head that change nothing,
// since they are wider than those of the defaults, or than any head.
void validate_on_the_way(const Document& document, const Json& level, int groups, const std::string& pointer,
                         FindingsList& findings);

}   // namespace proxyd::config
