#pragma once

#include <string>

#include "shared/config/decode.h"
#include "shared/config/model.h"

namespace proxyd::config {

// The cache's part of the model, from canonical JSON.
Cache read_cache(const Json& json);
// `cache` is the document's: its max_object holds for policies that say none.
CachePolicy read_cache_policy(const std::string& name, const Json& json, const Cache& cache);
Purge read_purge(const Json& json);

}   // namespace proxyd::config
