#pragma once

#include "worker/async/task.h"
#include "worker/downstream/connection.h"

namespace proxyd::downstream {

// HTTP/1 on a connection (RFC 9112 9): requests one after the other, pipelined ones from the octets already there,
// each from its first octet to the last of its answer. Ends when the connection has nothing to say for now, or is to
// be closed (Connection::close_after_serving). Owned by the connection, which outlives it.
async::Task<void> serve_http1(Connection& connection);

}   // namespace proxyd::downstream
