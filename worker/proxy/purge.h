#pragma once

#include "worker/async/task.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Answers a PURGE, as its host's key `purge` says: 405 where that is not set, 403 for whom it does not
// admit, 400 for what can't be understood, 503 when other purges held the lock. 200 once no worker can serve what
// matched, with what was purged or banned as JSON. The origin is never asked. Suspends while the client takes the
// answer.
async::Task<void> answer_purge(Request& request);

}   // namespace proxyd::proxy
