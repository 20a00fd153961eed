#pragma once

#include "worker/http/head.h"
#include "worker/http/refusal.h"
#include "worker/http2/field_section.h"
#include "worker/http2/last_authority.h"
#include "worker/http2/settings.h"

namespace proxyd::http2 {

// Whether what is wrong makes the message malformed, so that its stream is reset with PROTOCOL_ERROR (RFC 9113 8.1.1);
// all else is answered.
constexpr bool is_malformed(http::Refusal refusal) {
  return refusal >= http::kFirstOfHttp2 || refusal == http::Refusal::kTrailerLimit;
}

// Gives a section that was taken without a fault its meaning as a request (RFC 9113 8.3.1, 8.5; RFC 8441): fills the
// rest of `head`, whose fields the section are, and makes Host of :authority. `ends`: no content follows. kNone, or why
// it is refused.
http::Refusal understand_request(const PseudoFields& pseudo, bool ends, const Settings& settings, LastAuthority& last,
                                 http::RequestHead& head);

// The same of a response to `method` (RFC 9113 8.3.2), final or interim.
http::Refusal understand_response(const PseudoFields& pseudo, bool ends, http::Method method, http::ResponseHead& head);

}   // namespace proxyd::http2
