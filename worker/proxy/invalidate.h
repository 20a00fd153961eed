#pragma once

#include <optional>

#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Before the client hears that its unsafe request succeeded, what is stored of the URLs that it may have changed is
// made unusable for all workers (RFC 9111 4.4), and so are the groups that the origin names (RFC 9875). Nothing for any
// other request, nor where nothing is cached. Suspends nowhere; a lock that can't be had is logged.
// The sequence of what it purged, if it purged anything.
std::optional<uint64_t> invalidate(Request& request, const http::ResponseHead& response);

}   // namespace proxyd::proxy
