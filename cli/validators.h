#pragma once

#include <CLI/CLI.hpp>

namespace proxyd::cli {

// Checks of option values that CLI11 has not: a fault is a usage error before anything is sent.

// "30s", "5m": a number with its unit.
CLI::Validator duration();
// "50" or "50%".
CLI::Validator weight_or_percentage();

}   // namespace proxyd::cli
