#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "shared/cache/cache.h"

namespace proxyd::worker {

// What lies in the cache, for people: no content, no field, and of the key no value of a cookie or of a credential.
// `now`: steady milliseconds, as the cache counts them.

// A key: its url, and `key`, what else is in it.
nlohmann::json describe_key(std::string_view key);
// One object: its url, what else is in its key, state (fresh, stale, purged, filling, pass, varies), and how long that
// holds. `sequence` bounds the look at purges.
nlohmann::json describe_object(const cache::StoredResponse& stored, uint64_t sequence, int64_t now);

// A piece of a walk over all objects: {cursor, limit, and of host, prefix, tag, key what they shall match; the key in
// hexadecimal, with all its variants}. The answer has `items`, and `next`: where to go on, 0 at the end. A few thousand
// rows at most, about a millisecond, so a piece may have no item. A tag may match one too much: it is known by its
// stamp alone.
nlohmann::json list_objects(cache::Cache& cache, const nlohmann::json& question, int64_t now);

}   // namespace proxyd::worker
