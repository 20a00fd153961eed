#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/findings.h"
#include "shared/config/model.h"

namespace proxyd::config {

// The rules of the cache's sizes and policies, whose canonical JSON is in `canonical`, the document's: what contradicts
// itself, what could store nothing, and warnings for what changes nothing.
void validate_cache(const Document& document, const Json& canonical, FindingsList& findings);

// Whether anybody may purge.
void validate_purge(const Purge& purge, const std::string& pointer, FindingsList& findings);

}   // namespace proxyd::config
