#pragma once

#include <nlohmann/json.hpp>

#include "worker/proxy/configuration.h"

namespace proxyd::worker {

// What would happen to a request, step by step, by the same matcher that serves requests. `question` is the body of
// POST /explain: method, url, headers, client. The answer names the listener, the host, every candidate and why it was
// not taken, the route, the rewrite, the cache policy and key, and the eligible targets; or `error`.
nlohmann::json explain(const proxy::Configuration& configuration, const nlohmann::json& question);

}   // namespace proxyd::worker
