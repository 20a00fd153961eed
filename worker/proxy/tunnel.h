#pragma once

#include "worker/async/task.h"
#include "worker/proxy/request.h"
#include "worker/upstream/exchange.h"

namespace proxyd::proxy {

// A tunnel of octets both ways, after the origin's 101 (RFC 9110 7.8): copied, spliced where the streams allow. An end
// of one side is handed on and the other goes on; an error of one side ends both. Suspends until both have ended, or
// for `timeouts.tunnel` nothing moved.
async::Task<void> run_tunnel(Request& request, upstream::Exchange& origin);

}   // namespace proxyd::proxy
