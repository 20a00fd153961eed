#pragma once

#include "shared/config/decode.h"
#include "shared/config/node.h"
#include "shared/config/schema.h"

namespace proxyd::config {

// What the registry makes of a tree: canonical JSON, and everything in it that is unknown, of another type, out of
// range or not supported yet. What had a problem is left out of the JSON, so that the rest can still be validated.
// Says nothing about what refers to what; that is `validate`. A value; any process.
struct Canonical {
  Json json;
  std::vector<Problem> problems;
};

Canonical canonicalize(const Node& root);

}   // namespace proxyd::config
