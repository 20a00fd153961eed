#pragma once

#include <optional>
#include <string_view>

#include "shared/base/clock.h"

namespace proxyd::proxy {

class Request;

// How long the client waits, as gRPC says it: "100m" is 100 ms, in the units H, M, S, m, u and n. Nothing: malformed.
std::optional<std::chrono::nanoseconds> parse_grpc_timeout(std::string_view text);
// … as the field that `timeouts.deadline_header` names says it: "250ms", "2s", "1m", or "2" and "1.5", which are
// seconds.
std::optional<std::chrono::nanoseconds> parse_deadline(std::string_view text);

// Bounds the request's whole time by what its client says, where it is a call of gRPC or the route asks for it. False:
// what the client says is malformed.
bool take_client_deadline(Request& request);

}   // namespace proxyd::proxy
