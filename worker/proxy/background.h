#pragma once

#include "shared/cache/fill.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Asks the origin, on a condition, for what a request was given though it is stale (RFC 5861 3). Nothing when somebody
// else does, or when so much is asked for in the background already.
void validate_in_background(Request& request);
// The same for a slice of it.
void validate_in_background(Request& request, uint64_t slice);
// Goes on fetching what a dead worker was fetching, from where it stopped.
void resume_in_background(Request& request, cache::Filler filler);

}   // namespace proxyd::proxy
