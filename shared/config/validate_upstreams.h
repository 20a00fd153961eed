#pragma once

#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// In all upstreams, those that came by the API among them.
inline constexpr size_t kMostTargets = 4096;

// What the upstreams of a document must keep to beside the types of their values.
void validate_upstreams(const Document& document, FindingsList& findings);

}   // namespace proxyd::config
