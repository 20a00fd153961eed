#pragma once

#include <nlohmann/json.hpp>

#include "worker/proxy/configuration.h"

namespace proxyd::worker {

// What a purge means, spelled as this worker spells it when it stores (shared/cache/subjects.h): normal forms, and for
// URLs what the key rules leave of the query. `question`: {urls[], prefixes[], hosts[]}; the answer has the same lists,
// each entry {texts[]} or {error}, a URL's with {keys[]} as well, the primary keys that are the whole of the key where
// no header and no cookie is in it. A route is chosen by more than the URL (methods, headers …), so those of all routes
// that may be meant are given: purged too much, never too little. A URL covers both schemes.
nlohmann::json purge_subjects(const proxy::Configuration& configuration, const nlohmann::json& question);

}   // namespace proxyd::worker
