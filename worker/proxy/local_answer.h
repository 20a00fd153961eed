#pragma once

#include <string_view>

#include "worker/async/task.h"
#include "worker/proxy/proxy_error.h"
#include "worker/proxy/request.h"

namespace proxyd::proxy {

// Answers that we make ourselves, whole: head and content. Suspends while the client takes them.
async::Task<void> answer_error(Request& request, int status, ProxyError error, std::string_view detail, bool close);
// 503 of a host in maintenance, with when to come again.
async::Task<void> answer_closed(Request& request);
// 401 with what the client may show (RFC 9110 11.6.1); UNAUTHENTICATED for gRPC.
async::Task<void> answer_unauthenticated(Request& request, std::string_view challenge);
async::Task<void> answer_refused(Request& request, http::Refusal refusal, size_t offset);
// For a request that there was no memory for: few words, then the connection closes.
async::Task<void> answer_without_memory(Request& request, int status);
// What we have to say to a program: `body` lies as long as the request.
async::Task<void> answer_json(Request& request, int status, std::string_view body);
async::Task<void> answer_redirect(Request& request);
// The same request by https, for a host that has everyone come by it.
async::Task<void> answer_to_https(Request& request);
async::Task<void> answer_fixed(Request& request);
async::Task<void> answer_ready(Request& request);
// OPTIONS * and OPTIONS with Max-Forwards: 0 (RFC 9110 7.6.2, 9.3.7).
async::Task<void> answer_options(Request& request);

}   // namespace proxyd::proxy
