#pragma once

#include "shared/config/decode.h"
#include "shared/config/node.h"
#include "shared/config/schema.h"

namespace proxyd::config {

// What the registry makes of a tree: canonical JSON, and everything in it that is unknown, of another type, out of
// range or not supported yet. Says nothing about what refers to what; that is `validate`.
struct Canonical {
  Json json;
  std::vector<Problem> problems;
};

Canonical canonicalize(const Node& root);

}  // namespace proxyd::config
