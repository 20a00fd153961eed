#pragma once

#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What contradicts itself in access lists and rate limits, or names an access list that is not there.
void validate_limits(const Document& document, FindingsList& findings);

}   // namespace proxyd::config
