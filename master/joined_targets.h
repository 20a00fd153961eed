#pragma once

#include <map>
#include <string>

#include "shared/config/model.h"
#include "shared/config/snapshot.h"
#include "shared/status/status_region.h"

namespace proxyd::master {

// A document with what was found for its targets.
struct DocumentTargets {
  const config::Document& document;
  const std::map<std::string, config::TargetMaterial>& targets;   // "upstream/target"
};

// Writes down who joins an upstream that was there before, or comes back to it from a drain or maintenance: its slow
// start begins now. Those of a new upstream all begin at once, which needs none. Nothing is known of an address that
// was not there, and nothing of its checks is believed after a maintenance, or when checks ask for something else.
void note_joined(const DocumentTargets& before, const DocumentTargets& next, const status::StatusRegion& status,
                 uint64_t now_ms);

}   // namespace proxyd::master
