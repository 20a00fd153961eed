#pragma once

#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/head.h"
#include "worker/proxy/proxy_error.h"

namespace proxyd::proxy {

// A call of gRPC, by its content type: its client looks for `grpc-status` and takes any HTTP status but 200 for a
// guess.
bool is_grpc(const http::RequestHead& head);

// The fields of an answer that we make to such a call because something is wrong, in gRPC's form of an answer without
// messages: 200 with the status in the head. `status`: what other requests would get. Lies in the arena.
http::Fields make_grpc_answer(int status, ProxyError error, std::string_view detail, const http::Fields& request_fields,
                              http::Arena& arena);

}   // namespace proxyd::proxy
