#pragma once

#include <CLI/CLI.hpp>

#include "cli/rest/client.h"

namespace proxyd::cli {

// What a command line that CLI11 did not take comes to: help, or "error:" with the cause and what was probably meant.
Exit explain_usage(const CLI::App& root, const CLI::ParseError& error);

}   // namespace proxyd::cli
