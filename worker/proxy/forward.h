#pragma once

#include "worker/async/task.h"
#include "worker/proxy/request.h"
#include "worker/upstream/upstream_group.h"

namespace proxyd::proxy {

// Sends the request to a target of `group`, again to another while that is safe, and hands the response on as it
// comes. Answers the client in every case but a gone client. Suspends.
async::Task<void> forward(Request& request, const upstream::UpstreamGroup& group);

}   // namespace proxyd::proxy
