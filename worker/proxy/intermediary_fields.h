#pragma once

#include <array>
#include <string_view>

#include "worker/http/fields.h"
#include "worker/http/head.h"
#include "worker/routing/request_facts.h"

namespace proxyd::proxy {

// The fields that an intermediary takes away, hands on and sets itself (RFC 9110 7.6). Engine code; everything made
// lies in the message's arena.

// Who the request is to everyone: continued from a trusted proxy when it is well-formed, else started.
struct Identity {
  std::string_view request_id;   // 1–128 letters, digits and -._~+/=:@, safe in every answer and log
  std::string_view trace_id;     // of the W3C trace context: 32 digits
  std::string_view parent;       // 16, of our own
  std::string_view flags = "00";
  bool trace_continued = false;
};
// `fresh` are 32 random hexadecimal digits, which outlive the request.
Identity identify(const http::Fields& fields, bool trusted, std::string_view fresh);

// In lower case, those of the fields set by us that differ from client to client, though none of them sends any: what
// an origin selects by them, it selects for one request.
inline constexpr std::array<std::string_view, 6> kFieldsOfOneRequest = {
    "forwarded", "x-forwarded-for", "x-real-ip", "x-request-id", "traceparent", "tracestate"};

// The request came back to us three times (RFC 8586, RFC 9110 7.6.3).
bool is_loop(const http::Fields& fields);

// The section that the target sees; `original` is the client's, or what the cache made of it.
http::Fields make_request_fields(const routing::RequestFacts& facts, const http::Fields& original,
                                 const Identity& identity, http::Arena& arena);

// Turns the section of a response into what the client sees, before the edits of the document. `keep_length`: the
// answers to HEAD and 304 say how long the content would be.
void adapt_response_fields(http::ResponseHead& head, bool keep_length, http::Arena& arena);

// What may pass in trailers (RFC 9110 6.5.1): nothing that frames, routes, authenticates or sets cookies.
http::Fields make_trailers(const http::Fields& trailers, http::Arena& arena);

}   // namespace proxyd::proxy
