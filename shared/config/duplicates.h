#pragma once

#include <vector>

#include "shared/config/node.h"

namespace proxyd::config {

// Every key that is given twice in one map, naming both places. A parser that took the first and one that took the
// last would disagree about the document, so neither is taken.
std::vector<Problem> find_duplicate_keys(const Node& root);

}   // namespace proxyd::config
