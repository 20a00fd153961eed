#pragma once

#include <string>

#include "shared/base/result.h"

namespace proxyd {

// The content of a plain file of at most `most` octets. A pipe or a device would hold up whoever reads, so it is
// refused. Fails naming the file and the reason, never its content. Any process that may open files.
Result<std::string> read_plain_file(const std::string& path, size_t most);

}   // namespace proxyd
