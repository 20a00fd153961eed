#pragma once

#include <cstdint>

#include "master/admin/exchange.h"
#include "shared/status/health_words.h"

namespace proxyd::admin {

// What is known of the health of one address of a target: the last results of its checks, what its state became and
// why, and its ejections.
Json health_json(status::HealthWords& words);

// A moment of the machine's steady clock as RFC 3339; null for 0.
Json wall_time(uint64_t steady_ms);

}   // namespace proxyd::admin
