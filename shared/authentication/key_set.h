#pragma once

#include <string_view>
#include <vector>

#include "shared/authentication/key.h"

namespace proxyd::authentication {

// A JSON Web Key Set (RFC 7517 5). Immutable once read; any process.
using KeySet = std::vector<Key>;

inline constexpr size_t kMostKeySetFile = 256 * 1024;
inline constexpr size_t kMostKeys = 32;

// Keys for something else are left out. Fails naming the number of the key and what is wrong with it, never what it
// holds: it is no JSON or names a member twice, two keys of one kind have one id, or none is left.
Result<KeySet> read_keys(std::string_view content);

}   // namespace proxyd::authentication
