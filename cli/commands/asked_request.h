#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"

namespace proxyd::cli {

// A request that a question is about, as it is named on the command line.
struct AskedRequest {
  std::string url;
  std::string method = "GET";
  std::vector<std::string> headers;   // "Name: value"

  // URL, -X and -H.
  void add_options(CLI::App& command);
  // {url, method, headers}; nothing, and an error is printed, where a header is no field.
  std::optional<Json> json() const;
};

}   // namespace proxyd::cli
