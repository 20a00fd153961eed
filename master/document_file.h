#pragma once

#include <optional>
#include <string>
#include <vector>

#include "master/configuration.h"
#include "shared/base/result.h"
#include "shared/config/decode.h"

namespace proxyd::master {

// Why a document did not come into force.
struct DocumentError {
  std::string message;                     // whole: a line for each problem, as "FILE:LINE:COLUMN: POINTER: …"
  std::vector<config::Problem> problems;   // empty: the document was not at fault
  std::optional<Configuration::Failure> refused = {};   // it was read, but a worker or the store did not take it
};

struct DocumentFile {
  std::string text;
  config::Decoded decoded;   // valid
};

// Reads and decodes the document in a file. Fails with every problem at once, or with why it cannot be read.
Result<DocumentFile, DocumentError> read_document_file(const std::string& path);

// One problem on one line.
std::string describe(const std::string& file, const config::Problem& problem);

}   // namespace proxyd::master
