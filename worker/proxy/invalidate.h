#pragma once

#include <optional>

#include "worker/async/task.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Before the client hears that its unsafe request succeeded, what is stored of the URLs that it may have changed is
// made unusable for all workers (RFC 9111 4.4), and so are the groups that the origin names (RFC 9875). Nothing where
// nothing is cached. Suspends while a lock is busy; one that can't be had in some 150 ms is logged.
// The sequence of what it purged, if it purged anything.
async::Task<std::optional<uint64_t>> invalidate(Request& request, const http::ResponseHead& response);

}   // namespace proxyd::proxy
