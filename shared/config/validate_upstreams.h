#pragma once

#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// What the upstreams of a document must keep to beside the types of their values.
void validate_upstreams(const Document& document, FindingsList& findings);

}   // namespace proxyd::config
