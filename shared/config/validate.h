#pragma once

#include <vector>

#include "shared/config/decode.h"

namespace proxyd::config {

struct Findings {
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

// What no single key can tell: references, names taken twice, addresses that clash, keys that exclude each other,
// routes that are never reached, variables that a route does not have. Pointers only; the caller adds lines.
Findings validate(const Json& canonical, const Document& document);

}   // namespace proxyd::config
