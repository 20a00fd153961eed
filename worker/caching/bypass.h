#pragma once

#include "worker/caching/policy.h"
#include "worker/caching/reason.h"
#include "worker/http/head.h"

namespace proxyd::caching {

// Why a request takes no part in caching: it is neither looked up nor is its answer stored; kNone when it does. GET and
// HEAD take part where the policy names them, and POST (RFC 9110 9.3.3) with its answer alone, so that it is kMethod
// here. Beside the policy's own rules: content in a GET and method overrides, which origins may read and keys don't
// hold; traversal behind an encoded separator, which origins may decode; If-Match and If-Unmodified-Since, which only
// an origin can answer (RFC 9110 13.1.1, 13.1.4).
Reason why_bypassed(const http::RequestHead& request, const Policy& policy);

// The answer to a POST may be stored, where the policy names the method and nothing else about the request forbids it.
bool is_post_to_be_stored(const http::RequestHead& request, const Policy& policy);

// What a trusted proxy hands on beyond what we set ourselves reaches the origin and may change its answer, which is for
// nobody else then: a host or scheme in Forwarded that is not the one of the key, or any X-Forwarded-* that the key
// does not hold. `authority` and `scheme`: those of the key.
bool has_foreign_forwarding_fields(const http::Fields& request_fields, std::string_view authority, http::Scheme scheme,
                                   const Policy& policy);

}   // namespace proxyd::caching
