#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "shared/base/result.h"

namespace proxyd::store {

// A secret of the state folder: 32 octets in a file of their own, mode 0600, which no copy of the database has.
using Secret = std::array<uint8_t, 32>;

// Fails when it cannot be read or is none.
Result<Secret> read_secret(const std::string& path);
// A new one. The file is there whole or not at all, whoever dies meanwhile.
Result<Secret> make_secret(const std::string& path);

}   // namespace proxyd::store
