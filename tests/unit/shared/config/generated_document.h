#pragma once

#include <cstdint>

#include "shared/config/decode.h"

namespace proxyd::config {

// A valid document out of the whole registry: each key of each type is there or not, with a value of its type, as the
// seed decides. The same seed gives the same document.
Json generated_document(uint32_t seed);

}   // namespace proxyd::config
