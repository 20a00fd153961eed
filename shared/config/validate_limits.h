#pragma once

#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What contradicts itself in access lists.
void validate_limits(const Document& document, FindingsList& findings);

}   // namespace proxyd::config
