#pragma once

#include <vector>

#include "master/purpose.h"
#include "shared/base/result.h"
#include "shared/base/unique_fd.h"
#include "shared/config/model.h"

namespace proxyd::master {

// The log files of a document, opened for appending, for workers get descriptors and open nothing. A value.
struct LogFiles {
  std::vector<UniqueFd> access;
  UniqueFd error;

  // Fails naming the file that cannot be opened. A rehearsal makes no file.
  static Result<LogFiles> open(const config::Logging& logging, Purpose purpose);
};

}   // namespace proxyd::master
