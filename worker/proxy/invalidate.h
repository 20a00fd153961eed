#pragma once

#include <string_view>

#include "worker/caching/url.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Before the client hears that its unsafe request succeeded, what is stored of the URLs that it may have changed is
// made unusable for all workers (RFC 9111 4.4), and so are the groups that the origin names (RFC 9875). Nothing for any
// other request. Suspends nowhere; a lock that can't be had is logged.
void invalidate(Request& request, const http::ResponseHead& response);

// The text of a URL in keys, by the rules of the route that answers a GET for it; in the request's arena. Null data
// where nothing is cached.
std::string_view keyed_url(const Request& request, const caching::Url& url);

}   // namespace proxyd::proxy
