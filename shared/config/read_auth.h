#pragma once

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// Canonical JSON of `auth` as plain values. Values; any process.
Auth read_auth(const Json& json);

}   // namespace proxyd::config
