#pragma once

#include <vector>

#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/model.h"

namespace proxyd::master {

// The log files of a document, opened for appending, for workers get descriptors and open nothing. A value.
struct LogFiles {
  std::vector<UniqueFd> access;
  UniqueFd error;

  // Fails naming the file that cannot be opened.
  static Result<LogFiles> open(const config::Logging& logging);
};

}   // namespace proxyd::master
