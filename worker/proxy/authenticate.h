#pragma once

#include "worker/async/task.h"
#include "worker/authentication/remembered.h"
#include "worker/proxy/request.h"
#include "worker/proxy/slow_checks.h"

namespace proxyd::proxy {

// Asks the client for what the route's `auth` requires, the host's first. True: it showed all of it. False: it is
// answered, 401 with a challenge, or 503 when no turn at a slow check was to be had. Suspends while it waits for that
// turn, and while the client takes the answer.
async::Task<bool> authenticate(Request& request);

}   // namespace proxyd::proxy
