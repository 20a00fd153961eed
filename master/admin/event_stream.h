#pragma once

#include <Poco/Net/HTTPServerResponse.h>

#include "master/admin/context.h"
#include "master/admin/exchange.h"

namespace proxyd::admin {

// Server-sent events until the client leaves, its credential ends, the server stops, or an hour has passed. Blocks its
// thread. `Last-Event-ID` resumes where another stream ended, as far back as events are kept.
void stream_events(const AdminRequest& request, Poco::Net::HTTPServerResponse& response, Context& context);

}   // namespace proxyd::admin
