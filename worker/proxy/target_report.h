#pragma once

#include "worker/http/head.h"
#include "worker/proxy/relay/relay_content.h"
#include "worker/upstream/exchange.h"
#include "worker/upstream/target.h"

namespace proxyd::proxy {

// What becomes of a request at a target, for passive health. Failures are connections that do not come about or break
// off, answers that do not come or are none, the statuses 500, 502, 503 and 504, and of gRPC UNAVAILABLE and INTERNAL.
// What somebody here ended, a client or its own deadline, tells nothing.
void report_response(upstream::InFlight& place, const http::ResponseHead& response, bool is_grpc);
void report_fault(upstream::InFlight& place, upstream::Fault fault);
// `trailers` may be null.
void report_content(upstream::InFlight& place, const Relayed& relayed, const http::Fields* trailers, bool is_grpc);

}   // namespace proxyd::proxy
